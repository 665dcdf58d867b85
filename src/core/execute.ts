import { noEvidence } from '../model/evidence.ts'
import { RemoteFailure } from '../ports/publisher.ts'
import { LeaseLost, type ClaimedTask, type Ending } from '../ports/lease.ts'
import { Interruption, Parked, inStep, type Attempt, type PipelineParts } from './attempt.ts'
import { chooseRuntime } from './choose-runtime.ts'
import { Journal } from './journal.ts'
import { persist } from './persist.ts'
import { runPipeline } from './pipeline.ts'
import { Stop, outcomeOf, type Reason } from './reasons.ts'
import { sentence } from './sentences.ts'

/** How an attempt left its task. */
export type Execution = 'settled' | 'retried' | 'parked' | 'handed_back' | 'lost'

/** Ends a running attempt from outside; the first reason counts. */
export interface Running {
  readonly claimed: ClaimedTask
  interrupt(why: Interruption['why']): void
}

/**
 * The one executor: runs the pipeline of a claimed task and writes down how it ended, whatever happens in it. Every
 * way in ends here, and what it resolves with was written to the database before. Rejects only where the database
 * would not take the ending; the lease then runs out, and the task goes to another attempt.
 */
export async function execute(
  parts: PipelineParts,
  claimed: ClaimedTask,
  onRunning: (running: Running) => void,
): Promise<Execution> {
  const controller = new AbortController()
  const interrupt = (why: Interruption['why']) => controller.abort(new Interruption(why))
  onRunning({ claimed, interrupt })
  const timer = setTimeout(() => interrupt('timed_out'), claimed.options.timeoutMs)
  const journal = new Journal({
    store: parts.store,
    lease: claimed.lease,
    clock: parts.clock,
    mask: parts.mask,
    isTransient: parts.isTransient,
    onFailure: () => interrupt('lease_lost'),
  })
  const trace = parts.tracing.attempt(claimed.task, claimed.lease)
  let attempt: Attempt | null = null
  let how: Execution | null = null
  try {
    attempt = await begin(parts, claimed, { journal, trace, signal: controller.signal })
    how = await finish(attempt, await attemptOnce(attempt))
    return how
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error
    how = 'lost'
    return how
  } finally {
    clearTimeout(timer)
    trace.end(how ?? 'unsettled', attempt?.outcome ?? null)
  }
}

async function begin(
  parts: PipelineParts,
  claimed: ClaimedTask,
  own: Pick<Attempt, 'journal' | 'trace' | 'signal'>,
): Promise<Attempt> {
  const { task } = claimed
  const runtime = await chooseRuntime(parts.runtimes, task.runtime)
  const agent = parts.agents.get(task.agent)
  // The claim asks only for what this process has.
  if (runtime === undefined || agent === undefined)
    throw new Error(`claimed ${task.id} without being able to do it`)
  return { parts, claimed, runtime, agent, ...own, evidence: noEvidence(), diff: null, outcome: null }
}

type End = { kind: 'good'; ending: Ending } | { kind: 'failed'; error: unknown }

async function attemptOnce(attempt: Attempt): Promise<End> {
  const { parts, claimed } = attempt
  const { taskId, attempt: number } = claimed.lease
  const { runtime: asked } = claimed.task
  const runtimes = parts.runtimes.filter(({ name }) => asked === 'auto' || asked === name)
  let end: End
  try {
    // A container or a frozen worker's sandbox outlives its attempt: first nothing of it may be left.
    if (number > 1) await Promise.all(runtimes.map((runtime) => runtime.reclaim(taskId)))
    end = { kind: 'good', ending: await runPipeline(attempt) }
  } catch (error) {
    end = { kind: 'failed', error }
  }
  await parts.publisher.discard(taskId, number)
  return end
}

/** Turns the end of an attempt into one fenced write. */
async function finish(attempt: Attempt, end: End): Promise<Execution> {
  if (end.kind === 'good') return settle(attempt, end.ending)
  const { error } = end
  if (error instanceof LeaseLost) return 'lost'
  if (error instanceof Stop) return settle(attempt, endingOf(attempt, error.reason))
  if (error instanceof Parked) return park(attempt, error)
  if (error instanceof Interruption) return finishInterrupted(attempt, error)
  return retryLater(attempt, machineryReason(error))
}

function finishInterrupted(attempt: Attempt, interruption: Interruption): Promise<Execution> {
  const { options } = attempt.claimed
  switch (interruption.why) {
    case 'cancelled':
      return settle(attempt, endingOf(attempt, { kind: 'cancelled' }))
    case 'timed_out':
      return settle(attempt, endingOf(attempt, { kind: 'timed_out', timeoutMs: options.timeoutMs }))
    case 'drained':
      return handBack(attempt)
    case 'lease_lost':
      return Promise.resolve('lost')
    default:
      return interruption.why satisfies never
  }
}

/** A remote's fault is the user's to mend, but for those that may pass by themselves. */
function machineryReason(error: unknown): { reason: Reason; mayPass: boolean } {
  if (error instanceof RemoteFailure) {
    const mayPass = error.fault === 'unreachable' || error.fault === 'host_unknown'
    const { fault, repo, branch, message } = error
    return { reason: { kind: 'remote', fault, repo, branch, message }, mayPass }
  }
  return { reason: { kind: 'machinery', message: wordsOf(error) }, mayPass: true }
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : ''
  return `${error.message}${cause}`
}

function endingOf(attempt: Attempt, reason: Reason): Ending {
  return {
    outcome: outcomeOf(reason),
    reason: attempt.parts.mask(sentence(reason)),
    evidence: attempt.evidence,
  }
}

function settle(attempt: Attempt, ending: Ending): Promise<Execution> {
  const { parts, claimed, journal, diff } = attempt
  return inStep(attempt, 'settle', async () => {
    await journal.flush()
    await persist(parts, () => parts.store.settle(claimed.lease, ending, diff))
    attempt.outcome = ending.outcome
    return 'settled' as const
  })
}

async function retryLater(
  attempt: Attempt,
  failure: { reason: Reason; mayPass: boolean },
): Promise<Execution> {
  const { parts, claimed, journal } = attempt
  const ending = endingOf(attempt, failure.reason)
  if (!failure.mayPass) return settle(attempt, ending)
  journal.note(null, `this attempt failed: ${ending.reason ?? ''}`)
  await journal.flush()
  const answer = await persist(parts, () =>
    parts.store.retryLater(claimed.lease, { reason: ending.reason ?? '', finally: ending }),
  )
  if (answer === 'retried') return 'retried'
  attempt.outcome = ending.outcome
  return 'settled'
}

async function park(attempt: Attempt, { parking }: Parked): Promise<Execution> {
  const { parts, claimed, journal } = attempt
  await journal.flush()
  const reason = parts.mask(parking.reason)
  await persist(parts, () => parts.store.park(claimed.lease, { ...parking, reason }))
  return 'parked'
}

async function handBack(attempt: Attempt): Promise<Execution> {
  const { parts, claimed, journal } = attempt
  journal.note(null, 'this process is shutting down: the task goes back into the queue')
  await journal.flush()
  await persist(parts, () => parts.store.handBack(claimed.lease, 'its worker was shut down'))
  return 'handed_back'
}
