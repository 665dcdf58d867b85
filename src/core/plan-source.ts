import { maxPlanBytes } from '../model/plan/plan.ts'
import type { Door } from '../ports/repositories.ts'
import { RemoteFailure, type Publisher } from '../ports/publisher.ts'
import { TooLarge } from '../ports/runtime.ts'
import type { Pinned } from '../ports/lease.ts'
import { sentence } from './sentences.ts'
import type { FieldFault, SubmitContext } from './submit.ts'

/** What reads plans out of repositories. */
export type PlanReader = Pick<Publisher, 'resolve' | 'mirror' | 'readFile'>

/** Where a plan comes from. */
export type PlanSource =
  /** `name`: what faults call it. */
  | { readonly kind: 'text'; readonly text: string; readonly name: string }
  /** A file of the repository, at the base. */
  | { readonly kind: 'path'; readonly path: string }

export type FoundPlan =
  | { readonly ok: true; readonly text: string; readonly name: string; readonly pinned: Pinned | null }
  | { readonly ok: false; readonly faults: readonly FieldFault[] }
  /** The remote may answer later. */
  | { readonly ok: false; readonly faults: null; readonly message: string }

/** The text of a plan, and the commit that it was read from. Rejects only where the machinery fails. */
export async function findPlan(
  context: Pick<SubmitContext, 'repositories'>,
  reader: PlanReader,
  source: PlanSource,
  at: { readonly repo: string | null; readonly base: string | null; readonly door: Door },
): Promise<FoundPlan> {
  if (source.kind === 'text') return { ok: true, text: source.text, name: source.name, pinned: null }
  if (at.repo === null) return faulty('repo', 'is needed: the repository that holds the plan')
  const { path } = source
  if (!isInside(path))
    return faulty('planPath', 'must be a path within the repository, such as plans/night.md')
  const located = await context.repositories.locate(at.repo, at.door)
  if (!located.ok) return faulty('repo', located.message)
  const { repo } = located
  try {
    const { branch, sha } = await reader.resolve(repo, at.base)
    await reader.mirror(repo, sha, branch)
    const content = await reader.readFile(repo, sha, path, maxPlanBytes)
    if (content === null) return faulty('planPath', `there is no file ${path} at ${branch} (${sha})`)
    return { ok: true, text: content.toString('utf8'), name: path, pinned: { base: branch, sha } }
  } catch (error) {
    if (error instanceof TooLarge) return faulty('planPath', `is larger than ${maxPlanBytes} bytes`)
    if (!(error instanceof RemoteFailure)) throw error
    const { fault, branch, message } = error
    const words = sentence({ kind: 'remote', fault, repo, branch, message })
    if (fault === 'unreachable') return { ok: false, faults: null, message: words }
    return faulty(fault === 'branch_not_found' && at.base !== null ? 'base' : 'repo', words)
  }
}

function isInside(path: string): boolean {
  return (
    path !== '' &&
    path.length <= 1000 &&
    !path.startsWith('/') &&
    // oxlint-disable-next-line no-control-regex -- none of these can be meant
    !/[\x00-\x1f\x7f\\]/.test(path) &&
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  )
}

function faulty(field: string, message: string): FoundPlan {
  return { ok: false, faults: [{ field, message }] }
}
