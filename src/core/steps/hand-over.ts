import { noEvidence } from '../../model/evidence.ts'
import { BadWork, type Work } from '../../ports/publisher.ts'
import type { CloneSource } from '../../ports/runtime.ts'
import type { SavedWork } from '../../ports/lease.ts'
import { inStep, type Attempt } from '../attempt.ts'
import { persist } from '../persist.ts'
import { Stop } from '../reasons.ts'
import type { Conversation } from './conversation.ts'
import { commitMessage, type Workshop } from './workshop.ts'

/** Larger bundles are not kept in the database: a crash after the hand-over then pays for the agent again. */
const maxSavedBytes = 32 * 1024 * 1024

export interface Turn {
  readonly round: number
  readonly findings: string | null
  /** Called before work is saved, so that what it builds on is known to whoever takes it up. */
  readonly keep: (headSha: string) => Promise<void>
}

/**
 * One round of work in the publisher's hands: made by the agent, or taken from what an earlier attempt saved.
 * `null`: nothing differs from the base.
 */
export async function receive(
  attempt: Attempt,
  source: CloneSource,
  workshop: Workshop,
  turn: Turn,
): Promise<Work | null> {
  const saved = turn.round === 0 ? await savedBundle(attempt) : null
  if (saved !== null) {
    workshop.startFrom(saved, saved.conversation)
    return inStep(attempt, 'hand-over', () => take(attempt, source, saved.bundle))
  }
  forget(attempt)
  const handout = await workshop.round(turn.round, turn.findings)
  if (handout.kind === 'nothing') return null
  return inStep(attempt, 'hand-over', async () => {
    const work = await take(attempt, source, handout.bundle)
    if (work === null) return null
    await turn.keep(work.headSha)
    await save(attempt, work.headSha, handout.bundle, await workshop.conversation())
    return work
  })
}

/** What was known of the work before this round says nothing of what comes out of it. */
function forget(attempt: Attempt): void {
  const { headSha, commits, files, insertions, deletions, policy, checks } = noEvidence()
  attempt.evidence = { ...attempt.evidence, headSha, commits, files, insertions, deletions, policy, checks }
  attempt.diff = null
}

async function savedBundle(attempt: Attempt): Promise<SavedWork | null> {
  const { parts, claimed, journal } = attempt
  if (claimed.lease.attempt === 1) return null
  const saved = await persist(parts, () => parts.store.savedWork(claimed.lease))
  if (saved === null) return null
  journal.note('hand-over', 'an earlier attempt had handed its work over: the agent is not run again')
  attempt.evidence = { ...attempt.evidence, agent: saved.evidence.agent }
  return saved
}

/** A bundle out of a sandbox, as work that the publisher holds; `flatten`: all of it as one commit. */
export function handOver(
  attempt: Attempt,
  source: CloneSource,
  bundle: Buffer,
  how: { flatten: boolean },
): Promise<Work | null> {
  return inStep(attempt, 'hand-over', () => take(attempt, source, bundle, how))
}

async function take(
  attempt: Attempt,
  source: CloneSource,
  bundle: Buffer,
  how = { flatten: false },
): Promise<Work | null> {
  const work = await received(attempt, source, bundle, how.flatten)
  if (work.empty) return null
  await show(attempt, work)
  return work
}

/** What the publisher sees of the work becomes the evidence. */
export async function show(attempt: Attempt, work: Work): Promise<void> {
  const { claimed, journal } = attempt
  attempt.evidence = {
    ...attempt.evidence,
    headSha: work.headSha,
    commits: work.commits,
    files: work.changes.map((change) => change.path),
    insertions: work.insertions,
    deletions: work.deletions,
  }
  attempt.diff = await work.diff()
  const size = `${work.changes.length} ${work.changes.length === 1 ? 'file' : 'files'}, +${work.insertions} -${work.deletions}`
  journal.note('hand-over', `the publisher holds ${work.headSha}: ${size}`, {
    headSha: work.headSha,
    branch: claimed.task.branch,
  })
}

async function received(
  attempt: Attempt,
  source: CloneSource,
  bundle: Buffer,
  flatten: boolean,
): Promise<Work> {
  const { parts, claimed } = attempt
  try {
    return await parts.publisher.receive({
      taskId: claimed.lease.taskId,
      attempt: claimed.lease.attempt,
      repo: source.repo,
      baseSha: source.sha,
      bundle,
      commit: { message: commitMessage(attempt), ...parts.author },
      flatten,
    })
  } catch (error) {
    if (error instanceof BadWork) throw new Stop({ kind: 'work_unusable', message: error.message })
    throw error
  }
}

/** Whether no later attempt can have it, which is told. */
export function isTooLargeToSave({ journal }: Attempt, bundle: Buffer): boolean {
  if (bundle.length <= maxSavedBytes) return false
  journal.note('hand-over', `the work is too large to be saved (${bundle.length} bytes)`)
  return true
}

/** Keeps the work for later attempts. */
export async function save(
  attempt: Attempt,
  headSha: string,
  bundle: Buffer,
  conversation: Conversation | null = null,
): Promise<void> {
  const { parts, claimed, evidence } = attempt
  if (isTooLargeToSave(attempt, bundle)) return
  // Before the work: once that is saved the agent is not run again, and what it said could not be told any more.
  await attempt.journal.flush()
  await persist(parts, () => parts.store.saveWork(claimed.lease, { headSha, bundle, evidence, conversation }))
}
