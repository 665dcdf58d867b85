import type { Pinned } from '../../ports/lease.ts'
import type { Attempt } from '../attempt.ts'
import { persist } from '../persist.ts'
import { Stop } from '../reasons.ts'

/** Where the first attempt of a task starts, said plainly. */
export async function firstPin(attempt: Attempt): Promise<Pinned> {
  const { claimed } = attempt
  if (claimed.needBranches.length > 0) return fromNeeds(attempt)
  if (claimed.runBase !== null) return fromRun(attempt, claimed.runBase)
  return askRemote(attempt)
}

async function askRemote({ parts, claimed }: Attempt): Promise<Pinned> {
  const { branch, sha } = await parts.publisher.resolve(claimed.task.repo, claimed.task.base)
  return { base: branch, sha }
}

/** What it needs was not merged: it starts from what the needs made. */
async function fromNeeds(attempt: Attempt): Promise<Pinned> {
  const { claimed, journal } = attempt
  const { base } = await askRemote(attempt)
  const sha = await combinedNeeds(attempt)
  const branches = claimed.needBranches.map(({ branch }) => branch)
  const what = branches.length === 1 ? 'which its need made' : 'which its needs made, together'
  journal.note('prepare', `starts from ${branches.join(', ')}, ${what}`, { sha })
  return { base, sha }
}

/**
 * What its needs made, as one commit, which our mirror has afterwards; on each machine it is the same. Throws
 * {@link Stop} where they do not go together.
 */
export async function combinedNeeds({ claimed, parts }: Attempt): Promise<string> {
  const { needBranches, task } = claimed
  const [first, ...others] = needBranches
  if (first === undefined) throw new Error('there is no need to start from')
  if (others.length === 0) return first.headSha
  const heads = needBranches.map(({ headSha, branch }) => ({ sha: headSha, branch }))
  const combined = await parts.publisher.combine(task.repo, heads, parts.author)
  if (combined.kind === 'combined') return combined.sha
  throw new Stop({
    kind: 'needs_conflict',
    branches: heads.map(({ branch }) => branch),
    files: combined.files,
  })
}

/** Tasks of a run start from one commit of the base, until something of an earlier batch was merged into it. */
async function fromRun(
  attempt: Attempt,
  { group, firstBatch, pinned }: NonNullable<Attempt['claimed']['runBase']>,
): Promise<Pinned> {
  const { parts, claimed, journal } = attempt
  const shared = pinned ?? (await shareBase(attempt, group))
  if (group > 0) {
    journal.note('prepare', `starts from ${shared.base} with what earlier batches of this run merged into it`)
  } else if (!firstBatch) {
    const words = `no earlier batch was merged, and it needs no task: it starts from ${shared.base} as the run found it`
    journal.note('prepare', words, { run: claimed.task.runId })
  }
  return shared

  async function shareBase(asking: Attempt, number: number): Promise<Pinned> {
    const now = await askRemote(asking)
    return persist(parts, () => parts.store.pinRun(claimed.lease, number, now))
  }
}
