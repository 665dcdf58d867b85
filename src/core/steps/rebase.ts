import { conflictMark, lostLines } from '../../model/patch-lines.ts'
import type { Rebased, Work } from '../../ports/publisher.ts'
import { inStep } from '../attempt.ts'
import { keepJudged, type Desk } from '../desk.ts'
import { Stop } from '../reasons.ts'
import { gate, type Findings } from './gate.ts'
import { handOver, save, show } from './hand-over.ts'
import { readRules } from './repository-file.ts'
import { commitMessage, Workshop } from './workshop.ts'

/** The base, as it stands now. */
export interface Tip {
  readonly sha: string
  readonly branch: string
}

export type Conflict = Extract<Rebased, { kind: 'conflict' }>

/** What became of work whose base has moved. */
export type Onto =
  | { kind: 'moved'; desk: Desk; work: Work }
  /** It goes together, but does not hold. */
  | { kind: 'broken'; desk: Desk; work: Work; findings: Findings }
  | { kind: 'conflict'; tip: Tip; conflict: Conflict }
  /** The base has all of it already. */
  | { kind: 'nothing_left'; branch: string }

/** Brings the work onto what the base is now, and has the whole gate look at both together. `null`: it is there already. */
export async function rebaseOnto(desk: Desk, work: Work, tip: Tip): Promise<Onto | null> {
  const { attempt } = desk
  const { parts, journal } = attempt
  const commit = { message: commitMessage(attempt), ...parts.author }
  const rebased = await inStep(attempt, 'merge', () => parts.publisher.rebase(work, tip, commit))
  switch (rebased.kind) {
    case 'contained':
      return null
    case 'nothing_left':
      return { kind: 'nothing_left', branch: tip.branch }
    case 'conflict':
      journal.note('merge', `conflicts with ${tip.branch} at ${tip.sha}: ${rebased.files.join(', ')}`)
      return { kind: 'conflict', tip, conflict: rebased }
    case 'rebased':
      break
    default:
      return rebased satisfies never
  }
  const { unlike } = rebased
  const alike =
    unlike.length === 0 ? 'every change is line by line the same' : `${unlike.length} differ around`
  journal.note('merge', `brought onto ${tip.branch} at ${tip.sha} as ${rebased.work.headSha}: ${alike}`, {
    unlike,
  })
  const moved = await movedTo(desk, tip)
  await show(attempt, rebased.work)
  const findings = await gate(attempt, moved.source, moved.rules, rebased.work)
  if (findings !== null) return { kind: 'broken', desk: moved, work: rebased.work, findings }
  await keep(moved, rebased.work, unlike.length === 0 ? work.headSha : null)
  return { kind: 'moved', desk: moved, work: rebased.work }
}

/** Back to the agent, with both sides in the files; then, if that did not do, on the new base with its own change as a patch. */
export async function resolve(
  desk: Desk,
  work: Work,
  tip: Tip,
  conflict: Conflict,
): Promise<{ desk: Desk; work: Work }> {
  const { attempt, book } = desk
  const moved = await movedTo(desk, tip)
  const { fixRounds } = moved.rules.file
  let fault = ''
  for (let tries = 1; tries <= fixRounds; tries += 1) {
    const round = book.progress.rounds + tries
    const words = tries === 1 ? withMarks(conflict, tip) : await withPatch(work, tip, fault)
    const shop = new Workshop(attempt, moved.source, moved.rules)
    if (tries === 1) shop.startFrom(conflict.marked)
    desk.shops.push(shop)
    const handout = await shop.round(round, words)
    await shop.close()
    if (handout.kind === 'nothing') {
      fault = 'nothing of your change was left'
      continue
    }
    const resolved = await handOver(attempt, moved.source, handout.bundle, { flatten: true })
    if (resolved === null) {
      fault = 'nothing of your change was left'
      continue
    }
    const found = await unresolved(desk, work, resolved)
    if (found !== null) {
      fault = found
      attempt.journal.note('fix', `the conflict is not resolved: ${found}`)
      continue
    }
    const findings = await gate(attempt, moved.source, moved.rules, resolved)
    if (findings !== null) {
      fault = findings.words
      continue
    }
    await keep(moved, resolved, null)
    return { desk: moved, work: resolved }
  }
  throw new Stop({ kind: 'conflict', files: conflict.files, base: tip.branch, sha: tip.sha, fault })
}

/** What is wrong with a resolution, in words for the agent; `null`: nothing of either side is lost. */
async function unresolved(desk: Desk, before: Work, resolved: Work): Promise<string | null> {
  const { publisher } = desk.attempt.parts
  const after = (await resolved.diff(maxDiffBytes)).toString('utf8')
  const mark = conflictMark(after)
  if (mark !== null) return `${mark.path}:${mark.line} still has the mark of a conflict`
  const others = (await publisher.baseDiff(resolved, before.baseSha, maxDiffBytes)).toString('utf8')
  const lost = lostLines(others, after)
  if (lost.length === 0) return null
  const lines = lost
    .slice(0, 20)
    .map(({ path, text, lost: what }) =>
      what === 'addition'
        ? `${path} no longer has the line that was merged before: ${text}`
        : `${path} again has a line whose removal was merged before: ${text}`,
    )
  return `what others merged is taken back:\n${lines.join('\n')}`
}

const maxDiffBytes = 64 * 1024 * 1024
const maxPatchBytes = 24 * 1024

function withMarks(conflict: Conflict, tip: Tip): string {
  return `Meanwhile others merged into ${tip.branch}, and your work does not go together with theirs. The clone now stands on ${tip.branch} as it is; where the two conflict, both sides are in the files, between <<<<<<< base and >>>>>>> work:
${conflict.files.map((file) => `- ${file}`).join('\n')}
Bring both together: keep all that the others did, and do your own work on top. Leave no mark behind.`
}

async function withPatch(work: Work, tip: Tip, fault: string): Promise<string> {
  const patch = (await work.diff(maxPatchBytes)).toString('utf8')
  return `Meanwhile others merged into ${tip.branch}, and your work does not go together with theirs. Your last try was not taken: ${fault}
The clone now stands on ${tip.branch} as it is, without your work. Do it again there, and keep all that the others did. This is what your change was on the base before:
${patch}`
}

/** The same task on a later commit of its base, by the rules that stand there. */
async function movedTo(desk: Desk, tip: Tip): Promise<Desk> {
  const { attempt } = desk
  const { parts, claimed } = attempt
  const mirror = await parts.publisher.mirror(claimed.task.repo, tip.sha, tip.branch)
  const source = { ...desk.source, sha: tip.sha, mirror, work: null }
  const rules = await readRules(attempt, source)
  attempt.evidence = { ...attempt.evidence, baseSha: tip.sha }
  const workshop = new Workshop(attempt, source, rules)
  desk.shops.push(workshop)
  return { ...desk, source, rules, workshop }
}

/**
 * Keeps the moved work, as judged: what it builds on is known before the work itself is replaced. A review of the same
 * change holds for it, too.
 */
async function keep(desk: Desk, work: Work, reviewedAs: string | null): Promise<void> {
  const { attempt, book, workshop } = desk
  await keepJudged(desk, work)
  const { review } = book.progress
  if (reviewedAs !== null && review?.headSha === reviewedAs) {
    await book.write({ review: { ...review, headSha: work.headSha } })
  }
  const bundle = await work.bundle()
  await save(attempt, work.headSha, bundle)
  workshop.startFrom({ bundle, headSha: work.headSha })
}
