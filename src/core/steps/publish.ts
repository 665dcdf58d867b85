import type { Work } from '../../ports/publisher.ts'
import { inStep, type Attempt } from '../attempt.ts'
import { persist } from '../persist.ts'
import { Stop } from '../reasons.ts'

/** A branch that moves under every push is not going to stand still for a sixth. */
const maxTries = 5
const maxNames = 20

/** The remote did not do, or did not show, what was asked: it may after a while. */
export class Unconfirmed extends Error {
  override readonly name = 'Unconfirmed'
}

/** What this task has on the remote already. */
export interface Before {
  /** The branch that it has to stay on; `null`: it has none yet. */
  readonly branch: string | null
  /** Heads that this attempt pushed, beside those that the claim knew of. */
  readonly heads: ReadonlySet<string>
}

/**
 * Brings the work to the remote under a lease on what the branch was, and believes only what the remote answers when
 * it is asked for the branch again. Answers the branch. Time limits and cancellation do not cut in here: half a push helps nobody.
 */
export async function publish(attempt: Attempt, work: Work, before: Before): Promise<string> {
  const branch = await inStep(attempt, 'push', () => push(attempt, work, before))
  await inStep(attempt, 'confirm', () => confirm(attempt, work, branch))
  return branch
}

async function push(attempt: Attempt, work: Work, before: Before): Promise<string> {
  const { parts, claimed, journal } = attempt
  const { task, lease, ownShas } = claimed
  const { publisher, store } = parts
  let last = 'it was not tried'
  for (let tries = 0; tries < maxTries; tries += 1) {
    // A task that never pushed expects nothing there. The lease on the push says so to the remote, which need not be
    // asked first: a branch that exists all the same comes back as stale.
    const hopeful = tries === 0 && ownShas.length === 0 && before.branch === null
    const place = hopeful
      ? { branch: task.branch, stands: null }
      : await freeBranch(attempt, work.headSha, before)
    // Recorded first: a push whose answer is lost, or that a frozen process does late, is known as ours.
    await persist(parts, () => store.intendPush(lease, { branch: place.branch, sha: work.headSha }))
    if (place.stands === work.headSha) {
      journal.note('push', `${place.branch} is at ${work.headSha} already: an earlier push was adopted`)
      return place.branch
    }
    const answer = await publisher.push(work, { branch: place.branch, expected: place.stands })
    switch (answer.kind) {
      case 'pushed':
        return place.branch
      case 'refused':
        throw new Stop({ kind: 'push_refused', message: answer.message })
      case 'stale':
        last = `${place.branch} is not as expected`
        break
      case 'unknown':
        last = answer.message
        break
      default:
        answer satisfies never
    }
    journal.note('push', `the push to ${place.branch} has to be looked at again: ${last}`)
    if (answer.kind === 'unknown' || !hopeful) await parts.clock.sleep(200 * 2 ** tries)
  }
  throw new Unconfirmed(`the push to ${task.repo} did not get through in ${maxTries} tries: ${last}`)
}

/** The branch to push to, and where it stands: absent, or at a commit that is ours. A stranger's is left alone. */
async function freeBranch(
  attempt: Attempt,
  headSha: string,
  before: Before,
): Promise<{ branch: string; stands: string | null }> {
  const { parts, claimed, journal } = attempt
  const { task, options, ownShas } = claimed
  const first = before.branch ?? task.branch
  for (let number = 1; number <= maxNames; number += 1) {
    const branch = number === 1 ? first : `${first}-${number}`
    const stands = await parts.publisher.branchAt(task.repo, branch)
    const ours = stands === null || ownShas.includes(stands) || before.heads.has(stands)
    if (ours || stands === headSha) return { branch, stands }
    if (options.branchNamed || before.branch !== null)
      throw new Stop({ kind: 'branch_taken', branch, repo: task.repo })
    journal.note('push', `${branch} exists and is not ours: left as it is`, { stands })
  }
  throw new Stop({ kind: 'branch_taken', branch: task.branch, repo: task.repo })
}

async function confirm(attempt: Attempt, work: Work, branch: string): Promise<void> {
  const { parts, claimed, journal } = attempt
  const stands = await parts.publisher.branchAt(claimed.task.repo, branch)
  if (stands !== work.headSha) {
    throw new Unconfirmed(`the remote says that ${branch} is ${stands ?? 'absent'}, not ${work.headSha}`)
  }
  attempt.evidence = { ...attempt.evidence, confirmedAt: new Date().toISOString() }
  journal.note('confirm', `the remote answered: ${branch} is at ${work.headSha}`, { branch, headSha: stands })
}
