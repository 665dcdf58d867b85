import type { Evidence } from '../../model/evidence.ts'
import type { Work } from '../../ports/publisher.ts'
import type { CloneSource } from '../../ports/runtime.ts'
import type { Attempt } from '../attempt.ts'
import { Stop } from '../reasons.ts'
import { gate } from './gate.ts'
import { handOver } from './hand-over.ts'
import type { RepositoryRules } from './repository-file.ts'
import { Workshop, type Handout } from './workshop.ts'

/** Of several agents at the same work, the one that goes on. */
export interface Chosen {
  readonly workshop: Workshop
  /** Its work, where the gate let it through already. */
  readonly passed: Work | null
}

interface Ended {
  readonly candidate: CandidateAttempt
  readonly workshop: Workshop
  readonly handout: Handout
}

interface Judged extends Ended {
  readonly work: Work | null
  readonly passed: boolean
}

/**
 * Lets several agents do the same work side by side, each in a sandbox of its own, and judges what they made. Kept is,
 * among those that pass the gate, the one that ended first, or the smallest; where none passes, the first that made
 * something goes on into the fix rounds. The others leave nothing behind. Every workshop is added to `shops`.
 */
export async function bestOf(
  attempt: Attempt,
  source: CloneSource,
  rules: RepositoryRules,
  shops: Workshop[],
): Promise<Chosen> {
  const { candidates, keep } = attempt.claimed.options
  const ended: Ended[] = []
  const failed: Stop[] = []
  const running = Array.from({ length: candidates }, async (_, index) => {
    const candidate = new CandidateAttempt(attempt, index + 1)
    const workshop = new Workshop(candidate, source, rules)
    shops.push(workshop)
    try {
      const handout = await workshop.round(0, null)
      ended.push({ candidate, workshop, handout })
    } catch (error) {
      if (!(error instanceof Stop)) throw error
      failed.push(error)
      attempt.journal.note('agent', `candidate ${candidate.candidate} failed: ${error.message}`)
      await workshop.close()
    }
  })
  // All are waited for: none may go on in a sandbox after this attempt has ended.
  const results = await Promise.allSettled(running)
  for (const result of results) if (result.status === 'rejected') throw result.reason

  const judged: Judged[] = []
  for (const one of ended) {
    judged.push(await judge(one, source, rules))
    if (keep === 'first' && judged.at(-1)?.passed === true) break
  }
  const chosen = choose(judged, keep)
  if (chosen === undefined) throw failed[0] ?? new Error('no candidate ended')
  for (const { workshop } of ended) if (workshop !== chosen.workshop) await workshop.close()
  const how = chosen.passed ? 'which passes the gate' : 'none passes the gate as it is'
  attempt.journal.note(
    'agent',
    `of ${candidates} candidates, number ${chosen.candidate.candidate} is kept: ${how}`,
  )
  chosen.candidate.adopt(attempt)
  chosen.workshop.handOutAgain(chosen.handout)
  return { workshop: chosen.workshop, passed: chosen.passed ? chosen.work : null }
}

async function judge(ended: Ended, source: CloneSource, rules: RepositoryRules): Promise<Judged> {
  const { candidate, handout } = ended
  if (handout.kind === 'nothing') return { ...ended, work: null, passed: false }
  const work = await handOver(candidate, source, handout.bundle, { flatten: false })
  if (work === null) return { ...ended, work, passed: false }
  const findings = await gate(candidate, source, rules, work)
  return { ...ended, work, passed: findings === null }
}

function choose(judged: readonly Judged[], keep: 'first' | 'smallest'): Judged | undefined {
  const passed = judged.filter((one) => one.passed)
  const size = ({ work }: Judged) => (work === null ? 0 : work.insertions + work.deletions)
  if (keep === 'smallest') passed.sort((a, b) => size(a) - size(b))
  return passed[0] ?? judged.find((one) => one.work !== null) ?? judged[0]
}

/** An attempt as one of its candidates sees it: with evidence of its own, until it is the one that goes on. */
class CandidateAttempt implements Attempt {
  readonly parts: Attempt['parts']
  readonly claimed: Attempt['claimed']
  readonly runtime: Attempt['runtime']
  readonly agent: Attempt['agent']
  readonly journal: Attempt['journal']
  readonly signal: AbortSignal
  readonly candidate: number
  #facts: { evidence: Evidence; diff: Buffer | null }

  constructor(attempt: Attempt, candidate: number) {
    this.parts = attempt.parts
    this.claimed = attempt.claimed
    this.runtime = attempt.runtime
    this.agent = attempt.agent
    this.journal = attempt.journal
    this.signal = attempt.signal
    this.candidate = candidate
    this.#facts = { evidence: attempt.evidence, diff: attempt.diff }
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
}
