import type { Evidence } from '../../model/evidence.ts'
import type { Attempt } from '../attempt.ts'

/** An attempt as one of its candidates sees it: with evidence of its own, until it is the one that goes on. */
export class CandidateAttempt implements Attempt {
  readonly parts: Attempt['parts']
  readonly claimed: Attempt['claimed']
  readonly runtime: Attempt['runtime']
  readonly agent: Attempt['agent']
  readonly journal: Attempt['journal']
  readonly trace: Attempt['trace']
  readonly signal: AbortSignal
  readonly candidate: number
  /** It is the attempt that is settled. */
  readonly outcome = null
  readonly #dropping = new AbortController()
  #facts: { evidence: Evidence; diff: Buffer | null }

  /** `number`: its place among them, from 1. */
  constructor(attempt: Attempt, number: number) {
    const { parts, claimed } = attempt
    this.parts = parts
    this.claimed = claimedBy(attempt, number)
    this.runtime = attempt.runtime
    this.journal = attempt.journal
    this.trace = attempt.trace
    this.signal = AbortSignal.any([attempt.signal, this.#dropping.signal])
    this.candidate = number
    this.#facts = { evidence: attempt.evidence, diff: attempt.diff }
    const agent = parts.agents.get(this.claimed.task.agent)
    if (agent === undefined) throw new Error(`claimed ${claimed.task.id} without being able to do it`)
    this.agent = agent
  }

  get evidence(): Evidence {
    return this.#facts.evidence
  }

  set evidence(evidence: Evidence) {
    this.#facts.evidence = evidence
  }

  get diff(): Buffer | null {
    return this.#facts.diff
  }

  set diff(diff: Buffer | null) {
    this.#facts.diff = diff
  }

  /** From here on, what it finds out is the attempt's. */
  adopt(attempt: Attempt): void {
    attempt.evidence = this.evidence
    attempt.diff = this.diff
    this.#facts = attempt
  }

  /** Nobody needs its work any more: what it does ends, with {@link Dropped}. */
  drop(): void {
    this.#dropping.abort(new Dropped(this.candidate))
  }
}

/** A candidate was ended since another one is kept. */
export class Dropped extends Error {
  override readonly name = 'Dropped'

  constructor(number: number) {
    super(`candidate ${number} is not needed any more`)
  }
}

/** The task as this candidate does it: by its own agent. */
function claimedBy({ claimed }: Attempt, number: number): Attempt['claimed'] {
  const own = claimed.options.lineup?.[number - 1]
  if (own === undefined) return claimed
  const { agent, model, command } = own
  return {
    ...claimed,
    task: { ...claimed.task, agent },
    options: { ...claimed.options, model, command },
  }
}
