import pLimit from 'p-limit'
import type { RuntimeName } from '../model/submission.ts'
import type { Log } from '../ports/log.ts'
import type { WorkerAbilities, WorkerLife } from '../ports/worker.ts'
import { abilitiesHere } from './agent-abilities.ts'
import type { PipelineParts } from './attempt.ts'
import { execute, type Running } from './execute.ts'
import { shortOfDisk } from './sentences.ts'

export interface SchedulerOptions {
  readonly life: Omit<WorkerLife, 'agents' | 'accounts'>
  /** `null`: the tasks that everyone shares. */
  readonly pool: string | null
  readonly machineId: string
  /** Milliseconds between heartbeats: a quarter of the lease, so that three may be lost. */
  readonly heartbeatMs: number
  /** Milliseconds after which the queue is looked at without having been called. */
  readonly pollMs: number
  readonly disk: DiskWatch
  readonly log: Log
}

/** Bytes that are free where work is done, and how many must be before a task is taken. */
export interface DiskWatch {
  freeBytes(): Promise<number>
  readonly minFreeBytes: number
}

/** A scheduler at work. */
export interface RunningScheduler {
  /** How many tasks it runs now. */
  readonly running: number
  /**
   * Takes nothing new, lets what runs end within the grace period, then hands it back. Resolves when nothing of it is
   * left; can be called again with a shorter grace.
   */
  drain(graceMs: number): Promise<void>
}

const diskWarningMs = 30_000
const abilitiesMs = 10_000

/** Takes tasks while slots are free and awaits one pipeline for each. */
export function startScheduler(parts: PipelineParts, options: SchedulerOptions): RunningScheduler {
  const { life, log } = options
  const { store, clock } = parts
  const limit = pLimit(life.slots)
  // By attempt: one that was lost may still be ending when this process has its task again.
  const running = new Set<Running>()
  /** Settled or not yet: what `drain` waits for, and what fills the slots. */
  const attempts = new Set<Promise<void>>()
  const bell = createBell()
  const stopping = new AbortController()
  const graceOver = new AbortController()
  let handingBack = false
  /** Told with every heartbeat: tasks that nobody has room for say so. */
  let noRoom: string | null = null
  let lastDiskWarningMs = Number.NEGATIVE_INFINITY

  /** Looked up again and again: what a person installs or logs in to counts without a restart. */
  let here = abilitiesHere(parts)

  async function abilities(): Promise<WorkerAbilities> {
    return {
      ...(await here),
      workerId: life.id,
      pool: options.pool,
      runtimes: parts.runtimes.map((runtime) => runtime.name) satisfies RuntimeName[],
      machineId: options.machineId,
    }
  }

  async function takeOne(): Promise<boolean> {
    if (attempts.size >= life.slots) return false
    if (!(await hasDisk())) return false
    const claimed = await store.claim(await abilities())
    if (claimed === null) return false
    log.info('attempt begins', { ...claimed.lease, repo: claimed.task.repo, agent: claimed.task.agent })
    let own: Running | null = null
    const attempt: Promise<void> = limit(() =>
      execute(parts, claimed, (started) => {
        own = started
        running.add(started)
        if (handingBack) started.interrupt('drained')
      }),
    )
      .then((how) => log.info('attempt ended', { ...claimed.lease, how }))
      .catch((error: unknown) => log.error('attempt could not be settled', { ...claimed.lease, error }))
      .finally(() => {
        if (own !== null) running.delete(own)
        attempts.delete(attempt)
        bell.ring()
      })
    attempts.add(attempt)
    return true
  }

  async function hasDisk(): Promise<boolean> {
    const free = await options.disk.freeBytes()
    if (free >= options.disk.minFreeBytes) {
      noRoom = null
      return true
    }
    noRoom ??= shortOfDisk(life.host, free, options.disk.minFreeBytes)
    if (clock.monotonicMs() - lastDiskWarningMs > diskWarningMs) {
      lastDiskWarningMs = clock.monotonicMs()
      log.warn('no task is taken: the disk is nearly full', {
        freeBytes: free,
        needed: options.disk.minFreeBytes,
      })
    }
    return false
  }

  async function takeTasks(): Promise<void> {
    while (!stopping.signal.aborted) {
      // Taken before the look at the queue: a ring during it is not lost.
      const rung = bell.next()
      try {
        while (!stopping.signal.aborted && (await takeOne()));
      } catch (error) {
        log.warn('the queue could not be read', { error })
      }
      await Promise.race([rung, clock.sleep(options.pollMs, stopping.signal)])
    }
  }

  async function beat(): Promise<void> {
    const asked = [...running]
    const leases = asked.map((task) => task.claimed.lease)
    const answers = new Map(
      (
        await store.heartbeat({ ...life, ...(await here), pool: options.pool, shortOfDisk: noRoom }, leases)
      ).map((answer) => [answer.taskId, answer]),
    )
    for (const task of asked) {
      const { taskId, attempt } = task.claimed.lease
      const answer = answers.get(taskId)
      if (answer === undefined || answer.attempt !== attempt) task.interrupt('lease_lost')
      else if (answer.cancelRequested) task.interrupt('cancelled')
    }
  }

  /** Repeats until all is drained: what it does must go on while tasks still run. */
  async function every(ms: number, what: string, work: () => Promise<unknown>): Promise<void> {
    while (!finished.signal.aborted) {
      try {
        await work()
      } catch (error) {
        log.warn(`${what} failed`, { error })
      }
      await clock.sleep(ms, finished.signal)
    }
  }

  const finished = new AbortController()
  const cancelBell = () => void beat().catch((error: unknown) => log.warn('heartbeat failed', { error }))
  const listening = store
    .listen({
      queue: () => bell.ring(),
      cancel: (taskId) => {
        if ([...running].some((task) => task.claimed.lease.taskId === taskId)) cancelBell()
      },
    })
    .catch((error: unknown) => {
      log.warn('no wake-ups from the database: the queue is polled', { error })
      return () => Promise.resolve()
    })
  const loopUntilStopped = takeTasks()
  const loops = Promise.all([
    every(options.heartbeatMs, 'heartbeat', beat),
    every(abilitiesMs, 'look for agents', async () => {
      const now = await abilitiesHere(parts)
      here = Promise.resolve(now)
    }),
    every(1000, 'sweep', async () => {
      if ((await store.sweep()) > 0) bell.ring()
    }),
    ...(options.pool === null
      ? []
      : [every(options.heartbeatMs, 'pool', () => store.keepPool(options.pool ?? ''))]),
  ])

  async function finish(): Promise<void> {
    await loopUntilStopped
    await Promise.all(attempts)
    finished.abort()
    await loops
    const unlisten = await listening
    await unlisten()
    await store.leave(life.id).catch((error: unknown) => log.warn('leaving failed', { error }))
  }

  let drained: Promise<void> | null = null
  return {
    get running() {
      return running.size
    },
    drain(graceMs) {
      stopping.abort()
      void clock.sleep(graceMs, graceOver.signal).then(() => {
        // A claim may still be on its way: what it brings is handed back, too.
        handingBack = true
        for (const task of running) task.interrupt('drained')
      })
      drained ??= finish().finally(() => graceOver.abort())
      return drained
    },
  }
}

/** Wakes all that wait for the next ring. */
function createBell() {
  let wake = () => {}
  let next = new Promise<void>((resolve) => (wake = resolve))
  return {
    /** Resolves at the next ring. */
    next: () => next,
    ring() {
      wake()
      next = new Promise<void>((resolve) => (wake = resolve))
    },
  }
}
