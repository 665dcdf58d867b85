import { ForgeFailure, type ForgeRepository, type PullRequest } from '../../ports/forge.ts'
import type { Work } from '../../ports/publisher.ts'
import { inStep, type Attempt } from '../attempt.ts'
import type { Book } from '../book.ts'
import { Stop } from '../reasons.ts'
import { bodyOf, markOf, renewedBody, titleOf } from './pull-request-text.ts'

/** Right after a push, a forge can be a moment behind its own git. */
const behindWaitsMs = [500, 1000, 2000, 4000, 8000]

/** What is on the remote, and where. */
interface Pushed {
  readonly work: Work
  readonly branch: string
}

/** The pull request of a task, or why there is none. */
export type Proposed =
  | { kind: 'proposed'; pull: PullRequest }
  /** The forge, too, says that nothing differs from the base. */
  | { kind: 'nothing'; message: string }

/**
 * The one pull request of the task's branch: the one that is known, else the one that is found, else a new one. Looks
 * before it makes one, since an answer that was lost may have made it.
 */
export function propose(
  attempt: Attempt,
  forge: ForgeRepository,
  book: Book,
  pushed: Pushed,
): Promise<Proposed> {
  return inStep(attempt, 'propose', async () => {
    const known = book.progress.pullRequest
    if (known !== null) {
      const pull = await forge.pullRequest(known.number)
      await renew(attempt, forge, pull)
      return { kind: 'proposed', pull }
    }
    const found = await findOwn(attempt, forge, pushed.branch)
    if (found !== null) return keep(attempt, forge, book, found, 'found')
    return create(attempt, forge, book, pushed)
  })
}

/** What a pull request says is about its head of now. Not worth a task: whoever proposes again tries again. */
async function renew(attempt: Attempt, forge: ForgeRepository, pull: PullRequest): Promise<void> {
  const body = pull.state === 'open' ? renewedBody(attempt, pull.body) : null
  if (body === null) return
  await forge.editPullRequest(pull.number, body).catch((error: unknown) => {
    attempt.journal.note('propose', `what the pull request says could not be renewed: ${String(error)}`)
  })
}

/** What is open from this branch, or was opened by this very task. */
async function findOwn(
  attempt: Attempt,
  forge: ForgeRepository,
  branch: string,
): Promise<PullRequest | null> {
  const mark = markOf(attempt.claimed.task.id)
  const all = await forge.pullRequestsFrom(branch)
  return all.find((pull) => pull.body.includes(mark)) ?? all.find((pull) => pull.state === 'open') ?? null
}

async function create(
  attempt: Attempt,
  forge: ForgeRepository,
  book: Book,
  { work, branch }: Pushed,
): Promise<Proposed> {
  const { parts, claimed } = attempt
  let base = claimed.task.base ?? ''
  if (base === '') base = (await forge.facts()).defaultBranch
  let said = ''
  for (const waitMs of [...behindWaitsMs, null]) {
    const created = await forge.createPullRequest({
      head: branch,
      base,
      title: titleOf(attempt),
      body: bodyOf(attempt),
      draft: parts.proposals.draft,
    })
    switch (created.kind) {
      case 'created':
        return keep(attempt, forge, book, created.pullRequest, 'opened')
      case 'exists': {
        const found = await findOwn(attempt, forge, branch)
        if (found !== null) return keep(attempt, forge, book, found, 'found')
        said = 'it says that there is a pull request, and shows none'
        break
      }
      case 'no_commits':
        said = created.message
        if (waitMs === null) return { kind: 'nothing', message: said }
        break
      case 'head_missing':
        said = `it does not see the branch ${branch}`
        break
      case 'base_missing': {
        const { defaultBranch } = await forge.facts()
        said = `it does not see the branch ${base}`
        if (defaultBranch === base) break
        // A default branch that got another name has all that the work builds on; any other was just taken away.
        const tip = await parts.publisher.resolve(claimed.task.repo, defaultBranch)
        if (!(await parts.publisher.isOn(work, 'base', tip))) break
        attempt.journal.note('propose', `${base} is gone; the default branch is ${defaultBranch} now`)
        base = defaultBranch
        continue
      }
      case 'refused':
        throw new Stop({ kind: 'proposal_refused', message: created.message })
      default:
        created satisfies never
    }
    if (waitMs !== null) await parts.clock.sleep(waitMs, attempt.signal)
  }
  throw new Stop({ kind: 'proposal_refused', message: said })
}

async function keep(
  attempt: Attempt,
  forge: ForgeRepository,
  book: Book,
  pull: PullRequest,
  how: 'opened' | 'found',
): Promise<Proposed> {
  const { journal } = attempt
  // Before it is known as proposed: who dies in between finds it by its branch, and sees to both again.
  await trim(attempt, forge, pull)
  await book.write({ pullRequest: { slug: forge.slug, number: pull.number, url: pull.url } })
  journal.note('propose', `pull request ${pull.url} was ${how}`, { number: pull.number, url: pull.url })
  return { kind: 'proposed', pull }
}

/** Labels and reviewers: done again, they change nothing, and none of them is worth a task. */
async function trim({ parts, journal }: Attempt, forge: ForgeRepository, pull: PullRequest): Promise<void> {
  const { labels, reviewers } = parts.proposals
  const set = async (what: string, change: () => Promise<void>): Promise<boolean> => {
    try {
      await change()
      return true
    } catch (error) {
      if (error instanceof ForgeFailure && error.fault === 'rate_limited') throw error
      journal.note('propose', `${what} could not be set: ${String(error)}`)
      return false
    }
  }
  const ask = (logins: readonly string[]) => () => forge.requestReviewers(pull.number, logins)
  if (labels.length > 0) await set('labels', () => forge.addLabels(pull.number, labels))
  if (reviewers.length === 0 || (await set('reviewers', ask(reviewers))) || reviewers.length === 1) return
  // One whom the forge refuses takes the others along.
  for (const login of reviewers) await set(`the reviewer ${login}`, ask([login]))
}
