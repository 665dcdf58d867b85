import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { System } from '../core/system.ts'
import type { TaskEvent } from '../model/event.ts'
import { outcomes } from '../model/outcome.ts'
import { holds, states } from '../model/task.ts'

const durationBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400]
const pickUpBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30, 300, 3600]
const pageSize = 500
/** Where nobody has asked for very long, what came before the last so many events is not counted. */
const maxPages = 200

/**
 * The numbers for Prometheus. What stands in the database is read when they are asked for; durations and money are
 * gathered from the events since this process began, whichever process did the work.
 */
export class Metrics {
  readonly #system: System
  readonly #registry = new Registry()
  readonly #queued = new Map<string, number>()
  #at: number | null = null
  #catchingUp: Promise<void> = Promise.resolve()

  readonly #tasks = this.#gauge('nightshift_tasks', 'Tasks by state', ['state'])
  readonly #ended = this.#gauge('nightshift_tasks_ended', 'Tasks that have ended, by outcome', ['outcome'])
  readonly #held = this.#gauge('nightshift_tasks_held', 'Held tasks by what they wait for', ['hold'])
  readonly #oldest = this.#gauge(
    'nightshift_oldest_queued_seconds',
    'How long the oldest queued task has waited',
  )
  readonly #paused = this.#gauge('nightshift_queue_paused', '1 while nothing new starts')
  readonly #workers = this.#gauge('nightshift_workers', 'Workers that live')
  readonly #slots = this.#gauge('nightshift_slots', 'Slots of all workers', ['use'])
  readonly #database = this.#gauge('nightshift_database_bytes', 'Size of the database')
  readonly #disk = this.#gauge('nightshift_disk_free_bytes', 'Free where this process works')
  readonly #engineUp = this.#gauge('nightshift_engine_up', '1 where it answered when last needed', ['engine'])
  readonly #engineSlots = this.#gauge('nightshift_engine_slots', 'Slots of an engine, for this process', [
    'engine',
    'use',
  ])
  readonly #engineDisk = this.#gauge('nightshift_engine_disk_free_bytes', 'Free on its disk', ['engine'])
  readonly #cost = this.#counter('nightshift_cost_usd_total', 'US dollars that agents reported')
  readonly #tokens = this.#counter('nightshift_tokens_total', 'Tokens that agents reported', ['direction'])
  readonly #expired = this.#counter(
    'nightshift_leases_expired_total',
    'Attempts whose worker stopped answering',
  )
  readonly #pickUp: Histogram
  readonly #steps: Histogram<'step' | 'result'>

  constructor(system: System) {
    this.#system = system
    const registers = [this.#registry]
    this.#pickUp = new Histogram({
      name: 'nightshift_pick_up_seconds',
      help: 'From queued to the first step',
      buckets: pickUpBuckets,
      registers,
    })
    this.#steps = new Histogram({
      name: 'nightshift_step_seconds',
      help: 'How long steps took',
      labelNames: ['step', 'result'],
      buckets: durationBuckets,
      registers,
    })
    collectDefaultMetrics({ register: this.#registry })
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** From here on durations are counted. */
  async begin(signal: AbortSignal): Promise<void> {
    this.#at ??= await this.#system.eventLog.settled(signal)
  }

  /** The text that Prometheus reads. */
  async text(signal: AbortSignal): Promise<string> {
    // One after the other: no event is counted twice.
    this.#catchingUp = this.#catchingUp.catch(() => {}).then(() => this.#catchUp(signal))
    await Promise.all([this.#catchingUp, this.#readNow()])
    return this.#registry.metrics()
  }

  async #readNow(): Promise<void> {
    const [stats, numbers, disk] = await Promise.all([
      this.#system.store.stats(),
      this.#system.numbers.now(),
      this.#system.diskFreeBytes().catch(() => null),
    ])
    for (const state of states) this.#tasks.set({ state }, stats.states[state])
    for (const outcome of outcomes) this.#ended.set({ outcome }, stats.outcomes[outcome] ?? 0)
    for (const hold of holds) this.#held.set({ hold }, numbers.heldBy[hold] ?? 0)
    this.#oldest.set(numbers.oldestQueuedSeconds ?? 0)
    this.#paused.set(stats.paused ? 1 : 0)
    this.#workers.set(stats.workers.length)
    const used = stats.workers.reduce((sum, worker) => sum + worker.running, 0)
    const all = stats.workers.reduce((sum, worker) => sum + worker.slots, 0)
    this.#slots.set({ use: 'used' }, used)
    this.#slots.set({ use: 'free' }, Math.max(0, all - used))
    this.#database.set(numbers.databaseBytes)
    if (disk !== null) this.#disk.set(disk)
    for (const { engine, slots, tasks, up, diskFreeBytes } of this.#system.engines()) {
      this.#engineUp.set({ engine }, up ? 1 : 0)
      this.#engineSlots.set({ engine, use: 'used' }, tasks)
      this.#engineSlots.set({ engine, use: 'free' }, Math.max(0, slots - tasks))
      if (diskFreeBytes !== null) this.#engineDisk.set({ engine }, diskFreeBytes)
    }
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    await this.begin(signal)
    const { eventLog } = this.#system
    const upTo = await eventLog.settled(signal)
    const types = ['state', 'step.started', 'step.ended'] as const
    for (let page = 0; page < maxPages && (this.#at ?? upTo) < upTo; page += 1) {
      const events = await eventLog.range({
        after: this.#at ?? upTo,
        upTo,
        runId: null,
        types,
        limit: pageSize,
      })
      for (const event of events) this.#count(event)
      await this.#countSpent(events)
      this.#at = events.length < pageSize ? upTo : (events.at(-1)?.id ?? upTo)
    }
    this.#at = Math.max(this.#at ?? 0, upTo)
  }

  #count(event: TaskEvent): void {
    if (event.type === 'state') {
      if (event.data['expired'] === true) this.#expired.inc()
      if (event.data['state'] === 'queued') this.#queued.set(event.taskId, Date.parse(event.at))
      else if (event.data['state'] !== 'running') this.#queued.delete(event.taskId)
    } else if (event.type === 'step.started') {
      const queuedMs = this.#queued.get(event.taskId)
      this.#queued.delete(event.taskId)
      if (queuedMs !== undefined) this.#pickUp.observe(Math.max(0, Date.parse(event.at) - queuedMs) / 1000)
    } else if (typeof event.data['durationMs'] === 'number' && event.step !== null) {
      const result = event.data['ok'] === false ? 'failed' : 'ok'
      this.#steps.observe({ step: event.step, result }, event.data['durationMs'] / 1000)
    }
  }

  async #countSpent(events: readonly TaskEvent[]): Promise<void> {
    const ended = events.filter((event) => event.type === 'state' && event.data['state'] === 'done')
    if (ended.length === 0) return
    const spent = await this.#system.numbers.spentBy(ended.map((event) => event.taskId))
    this.#cost.inc(spent.costUsd)
    this.#tokens.inc({ direction: 'input' }, spent.inputTokens)
    this.#tokens.inc({ direction: 'output' }, spent.outputTokens)
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] })
  }

  #gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] })
  }
}
