import type { Work } from '../ports/publisher.ts'
import type { Ending } from '../ports/lease.ts'
import { RuntimeAway } from '../ports/runtime.ts'
import { inStep, type Attempt } from './attempt.ts'
import { openBook, type Book } from './book.ts'
import { deliver } from './delivery.ts'
import { keepBase, keepJudged, type Desk } from './desk.ts'
import { persist } from './persist.ts'
import { Stop, outcomeOf } from './reasons.ts'
import { runtimeAway } from './sentences.ts'
import { gate, throwFault, type Findings } from './steps/gate.ts'
import { receive, show } from './steps/hand-over.ts'
import { lookFirst } from './steps/look.ts'
import { prepare } from './steps/prepare.ts'
import { bestOf, type Chosen, type Contest } from './steps/candidates.ts'
import { readRules } from './steps/repository-file.ts'
import { wantsReview } from './steps/review.ts'
import { Workshop } from './steps/workshop.ts'
import { park } from './waiting.ts'

/**
 * The way of one task, top to bottom, as one promise. Resolves only with a good outcome that is proven; every other
 * end is an error: {@link Stop} for the task's own, Parked where it waits, Interruption for one from outside, anything
 * else for the machinery.
 */
export async function runPipeline(attempt: Attempt): Promise<Ending> {
  const { parts, claimed } = attempt
  const book = await openBook(parts, claimed.lease)
  try {
    return await allSteps(attempt, book)
  } catch (error) {
    if (!(error instanceof RuntimeAway)) throw error
    // Trying again is no use before it is back, however long that takes: an engine's restart must not cost a task.
    return park(book, { for: 'runtime', hold: 'retry', reason: runtimeAway(error.message) })
  }
}

async function allSteps(attempt: Attempt, book: Book): Promise<Ending> {
  const { parts } = attempt
  await lookFirst(attempt, book)
  const { source, base, pinnedSha } = await prepare(attempt, book)
  const rules = await readRules(attempt, source)
  const shops: Workshop[] = []
  const heads = new Set<string>()
  try {
    const { workshop, passed } = await openWorkshop({ attempt, book, source, rules, shops })
    const desk = { attempt, book, source, rules, base, pinnedSha, workshop, shops, heads }
    if (passed !== null) await keepJudged(desk, passed)
    const work = await workThatHolds(desk)
    if (work === null) return noChanges(attempt)
    // Where nobody needs the sandbox any more it is removed while the remote is talked to.
    const mayGoOn = wantsReview(attempt) || parts.proposals.heeded.length > 0
    const closing = mayGoOn ? Promise.resolve() : workshop.close()
    closing.catch(() => {})
    const ending = await deliver(desk, work)
    await closing
    return ending
  } finally {
    for (const shop of shops) await shop.close()
  }
}

/** Where the agent works; of several at the same work, the one that is kept. */
async function openWorkshop(contest: Contest): Promise<Chosen> {
  const { attempt, source, rules, shops } = contest
  if (attempt.claimed.options.candidates > 1) return bestOf(contest)
  const workshop = new Workshop(attempt, source, rules)
  shops.push(workshop)
  return { workshop, passed: null }
}

/** The agent's work and its fix rounds, until the gate finds nothing more. `null`: nothing differs from the base. */
async function workThatHolds(desk: Desk): Promise<Work | null> {
  const { attempt, book, source, rules, workshop } = desk
  const keep = (headSha: string) => keepBase(desk, headSha)
  let work =
    (await recalled(desk)) ?? (await receive(attempt, source, workshop, { round: 0, findings: null, keep }))
  for (let round = book.progress.rounds + 1; work !== null; round += 1) {
    if (wasJudged(desk, work)) return work
    const findings = await gate(attempt, source, rules, work)
    if (findings === null) {
      if (isLong(attempt)) await keepJudged(desk, work)
      return work
    }
    if (round > rules.file.fixRounds) throw new Stop(findings.reason)
    if (isLong(attempt)) await book.write({ rounds: round })
    work = await fix(desk, round, findings)
  }
  return null
}

/** Work that was pushed and is too large to be kept anywhere else: the remote has it. */
async function recalled(desk: Desk): Promise<Work | null> {
  const { attempt, book, source, workshop } = desk
  const { parts, claimed } = attempt
  const { pushed } = book.progress
  if (pushed === null || (await persist(parts, () => parts.store.savedWork(claimed.lease))) !== null)
    return null
  return inStep(attempt, 'hand-over', async () => {
    const { taskId, attempt: number } = claimed.lease
    const { branch, sha: headSha } = pushed
    const facts = { taskId, attempt: number, repo: source.repo, baseSha: source.sha, headSha, branch }
    const work = await parts.publisher.recall(facts)
    await show(attempt, work)
    workshop.startFrom({ bundle: await work.bundle(), headSha })
    return work
  })
}

/** The gate let this very head through in an earlier attempt: what it found then is the evidence. */
function wasJudged({ attempt, book }: Desk, work: Work): boolean {
  const { judged } = book.progress
  if (judged?.headSha !== work.headSha) return false
  const { policy, checks } = judged
  attempt.evidence = { ...attempt.evidence, policy, checks }
  attempt.journal.note('checks', `${work.headSha} was let through before: the gate does not look at it again`)
  return true
}

/** Whether more comes after the push than a look at the remote. */
function isLong(attempt: Attempt): boolean {
  const { claimed, parts } = attempt
  const onForge = parts.forge?.repository(claimed.task.repo) ?? null
  return onForge !== null || claimed.options.merge !== 'never' || wantsReview(attempt)
}

async function fix(desk: Desk, round: number, findings: Findings): Promise<Work | null> {
  const { attempt, source, workshop } = desk
  const keep = (headSha: string) => keepBase(desk, headSha)
  const { evidence: judged, diff } = attempt
  try {
    return await receive(attempt, source, workshop, { round, findings: findings.words, keep })
  } catch (error) {
    if (!(error instanceof Stop) || outcomeOf(error.reason) !== 'agent_failed') throw error
    // An agent that fails at mending has not mended: what it was told is why the work is not taken, and what was judged
    // is the evidence.
    attempt.evidence = { ...judged, agent: attempt.evidence.agent }
    attempt.diff = diff
    throw new Stop(findings.reason)
  }
}

function noChanges(attempt: Attempt): Ending {
  throwFault(attempt)
  if (attempt.claimed.options.requireChanges) throw new Stop({ kind: 'nothing_changed' })
  return {
    outcome: 'no_changes',
    reason: 'The agent ended well, and nothing differs from the base.',
    evidence: attempt.evidence,
  }
}
