import pLimit from 'p-limit'
import type { KeptCandidate } from '../../model/candidate.ts'
import type { SavedCandidate, SavedWork } from '../../ports/lease.ts'
import type { Work } from '../../ports/publisher.ts'
import type { CloneSource } from '../../ports/runtime.ts'
import { Parked, type Attempt } from '../attempt.ts'
import type { Book } from '../book.ts'
import { persist } from '../persist.ts'
import { Stop } from '../reasons.ts'
import { CandidateAttempt, Dropped } from './candidate-attempt.ts'
import { gate } from './gate.ts'
import { handOver, isTooLargeToSave } from './hand-over.ts'
import { preferred } from './judge.ts'
import type { RepositoryRules } from './repository-file.ts'
import { Workshop, type Handout } from './workshop.ts'

/** What a contest of candidates is about; every workshop that it opens is added to `shops`. */
export interface Contest {
  readonly attempt: Attempt
  readonly book: Book
  readonly source: CloneSource
  readonly rules: RepositoryRules
  readonly shops: Workshop[]
}

/** Of several agents at the same work, the one that goes on. */
export interface Chosen {
  readonly workshop: Workshop
  /** Its work, where the gate let it through already. */
  readonly passed: Work | null
}

interface Entry {
  readonly candidate: CandidateAttempt
  readonly workshop: Workshop
  readonly handout: Handout
  readonly work: Work | null
  readonly passed: boolean
}

/**
 * Lets several agents do the same work side by side, each in a sandbox of its own, and judges what they made as they
 * end. Kept is, among those that pass the gate, the first, the smallest, or the one that a judge prefers; where none
 * passes, the first that made something goes on into the fix rounds. The others leave nothing behind. What was handed
 * over is saved, so that a crash pays for no agent twice, and who was chosen stays chosen.
 */
export async function bestOf(contest: Contest): Promise<Chosen> {
  const { attempt, book, shops } = contest
  const { parts, claimed, journal } = attempt
  const { lease } = claimed
  const saved = lease.attempt === 1 ? [] : await persist(parts, () => parts.store.savedCandidates(lease))
  if (book.progress.candidate !== null) return goOn(contest, book.progress.candidate, saved)
  const entries = await compete(contest, new Map(saved.map(({ number, work }) => [number, work])))
  const { entry, why } = await choose(contest, entries)
  const { candidate, workshop, handout } = entry
  const kept = { number: candidate.candidate, of: claimed.options.candidates, why }
  await book.write({ candidate: kept })
  await persist(parts, () => parts.store.dropCandidates(lease, kept.number))
  for (const shop of shops) if (shop !== workshop) await shop.close()
  journal.note('agent', `of ${kept.of} candidates, number ${kept.number} is kept: ${why}`)
  candidate.adopt(attempt)
  attempt.evidence = { ...attempt.evidence, candidate: kept }
  workshop.handOutAgain(handout)
  return { workshop, passed: entry.passed ? entry.work : null }
}

/** With the one that an earlier attempt has chosen. */
async function goOn(
  { attempt, source, rules, shops }: Contest,
  kept: KeptCandidate,
  saved: readonly SavedCandidate[],
): Promise<Chosen> {
  const { parts, claimed } = attempt
  const candidate = new CandidateAttempt(attempt, kept.number)
  const workshop = new Workshop(candidate, source, rules)
  shops.push(workshop)
  candidate.adopt(attempt)
  attempt.evidence = { ...attempt.evidence, candidate: kept }
  const work = saved.find(({ number }) => number === kept.number)?.work
  // Once it is the task's own, later rounds may have gone beyond it.
  const isOwn = (await persist(parts, () => parts.store.savedWork(claimed.lease))) !== null
  if (work !== undefined && !isOwn) takeUp(candidate, workshop, work)
  return { workshop, passed: null }
}

/** Work of an earlier attempt: the agent is not run again for it. */
function takeUp(candidate: CandidateAttempt, workshop: Workshop, work: SavedWork): Handout {
  const handout = { kind: 'bundle', bundle: work.bundle } as const
  candidate.evidence = { ...candidate.evidence, agent: work.evidence.agent }
  workshop.startFrom(work, work.conversation)
  workshop.handOutAgain(handout)
  return handout
}

/** All of them, in the order in which they ended; those that fail or are not needed any more are left out. */
async function compete(contest: Contest, saved: ReadonlyMap<number, SavedWork>): Promise<readonly Entry[]> {
  const { attempt, source, rules, shops } = contest
  const { candidates: count, keep } = attempt.claimed.options
  const all = Array.from({ length: count }, (_, index) => new CandidateAttempt(attempt, index + 1))
  const isSaved = ({ candidate }: CandidateAttempt) => saved.has(candidate)
  const inOrder = [
    ...[...saved.keys()].flatMap((number) => all[number - 1] ?? []),
    ...all.filter((candidate) => !isSaved(candidate)),
  ]
  const entries: Entry[] = []
  const failed: (Stop | Parked)[] = []
  const oneAtATime = pLimit(1)
  const running = inOrder.map(async (candidate) => {
    const workshop = new Workshop(candidate, source, rules)
    shops.push(workshop)
    try {
      const before = saved.get(candidate.candidate)
      const handout =
        before === undefined ? await workshop.round(0, null) : takeUp(candidate, workshop, before)
      const entry = await oneAtATime(() => judge(contest, { candidate, workshop, handout }, before ?? null))
      entries.push(entry)
      if (keep !== 'first' || !entry.passed) return
      for (const other of all) if (other !== candidate) other.drop()
    } catch (error) {
      await workshop.close()
      if (error instanceof Dropped) return
      if (!(error instanceof Stop) && !(error instanceof Parked)) throw error
      failed.push(error)
      attempt.journal.note('agent', `candidate ${candidate.candidate} failed: ${error.message}`)
    }
  })
  // All are waited for: none may go on in a sandbox after this attempt has ended.
  const results = await Promise.allSettled(running)
  for (const result of results) if (result.status === 'rejected') throw result.reason
  // Where one only has to wait for its provider, the task can wait for it.
  const [why] = [...failed.filter((error) => error instanceof Parked), ...failed]
  if (entries.length === 0) throw why ?? new Error('no candidate ended')
  return entries
}

async function judge(
  { attempt, source, rules }: Contest,
  ended: Pick<Entry, 'candidate' | 'workshop' | 'handout'>,
  saved: SavedWork | null,
): Promise<Entry> {
  const { candidate, workshop, handout } = ended
  candidate.signal.throwIfAborted()
  if (handout.kind === 'nothing') return { ...ended, work: null, passed: false }
  const work = await handOver(candidate, source, handout.bundle, { flatten: false })
  if (work === null) return { ...ended, work, passed: false }
  if (saved === null && !isTooLargeToSave(candidate, handout.bundle)) {
    const { parts, claimed } = attempt
    const { evidence } = candidate
    const conversation = await workshop.conversation()
    const saving = { headSha: work.headSha, bundle: handout.bundle, evidence, conversation }
    await attempt.journal.flush()
    await persist(parts, () =>
      parts.store.saveCandidate(claimed.lease, { number: candidate.candidate, work: saving }),
    )
  }
  const findings = await gate(candidate, source, rules, work)
  return { ...ended, work, passed: findings === null }
}

async function choose(
  { attempt, source, rules }: Contest,
  entries: readonly Entry[],
): Promise<{ entry: Entry; why: string }> {
  const passed = entries.flatMap((entry) =>
    entry.passed && entry.work !== null
      ? [{ entry, work: entry.work, number: entry.candidate.candidate }]
      : [],
  )
  const [first] = passed
  if (first === undefined) {
    const entry = entries.find((one) => one.work !== null) ?? entries[0]
    if (entry === undefined) throw new Error('no candidate ended')
    return { entry, why: 'none passes the gate as it is, and it ended before the others' }
  }
  const { keep } = attempt.claimed.options
  if (keep === 'first') return { entry: first.entry, why: 'it is the first that passes the gate' }
  if (passed.length === 1) return { entry: first.entry, why: 'it alone passes the gate' }
  const smallest = passed.toSorted((a, b) => sizeOf(a.work) - sizeOf(b.work))[0] ?? first
  const why = `it is the smallest of ${passed.length} that pass the gate`
  if (keep === 'smallest') return { entry: smallest.entry, why }
  try {
    const { candidate, reason } = await preferred(attempt, source, rules, passed)
    const { entry } = passed.find(({ number }) => number === candidate) ?? first
    return { entry, why: reason === '' ? 'the judge prefers it' : `the judge prefers it: ${reason}` }
  } catch (error) {
    if (!(error instanceof Stop)) throw error
    const { reason } = error
    const fault = reason.kind === 'review_unusable' ? reason.fault : error.message
    return { entry: smallest.entry, why: `${why}, since the judge made no choice: ${fault}` }
  }
}

function sizeOf({ insertions, deletions }: Work): number {
  return insertions + deletions
}
