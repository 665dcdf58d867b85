import { ForgeFailure, type ForgeFault, type ForgeRepository, type PullRequest } from '../../ports/forge.ts'
import type { Work } from '../../ports/publisher.ts'
import { inStep, type Attempt } from '../attempt.ts'
import type { Book } from '../book.ts'
import { ownLogin } from '../own-login.ts'

/** Stands in every comment that a review of ours leaves on a line. */
export function findingMark({ claimed }: Attempt): string {
  return `<!-- nightshift-finding: ${claimed.task.id} -->`
}

/**
 * Answers every thread that a review of ours, or of people whose review was mended, has opened, and resolves ours:
 * whether a person's is settled is for that person to say. Looks for an answer before it gives one, so that a thread
 * has one however often this is tried.
 */
export function answerThreads(
  attempt: Attempt,
  forge: ForgeRepository,
  book: Book,
  pull: PullRequest,
  work: Work,
): Promise<void> {
  return inStep(attempt, 'review', async () => {
    const { toAnswer, heard, rounds } = book.progress
    // What an account cannot find out of itself, its pull request tells.
    const login = (await ownLogin(attempt)) ?? pull.author
    const mark = `<!-- nightshift-answer: ${attempt.claimed.task.id} -->`
    const all = await forge.lineComments(pull.number)
    const begun = all.filter(({ replyTo }) => replyTo === null)
    const ours = begun.filter((one) => one.author === login && one.body.includes(findingMark(attempt)))
    const peoples = begun.filter((one) => one.reviewId !== null && `review ${one.reviewId}` in heard)
    for (const { id } of [...ours, ...peoples]) {
      const answers = all.filter((one) => one.replyTo === id && one.author === login)
      if (answers.some(({ body }) => body.includes(mark))) continue
      const what = `Worked on in fix round ${rounds}, which passed the gate: ${work.headSha}.`
      const changes = `What it changed: ${pull.url}/files/${toAnswer}..${work.headSha}`
      await said(attempt, () => forge.answer(pull.number, id, `${what}\n${changes}\n\n${mark}`))
    }
    const resolved = await resolvedIn(
      attempt,
      forge,
      pull.number,
      ours.map(({ id }) => id),
    )
    if (!resolved)
      attempt.journal.note('review', 'the forge does not let threads be resolved: they stay open')
    await book.write({ toAnswer: null })
  })
}

/** No word of ours in a thread is worth a task: it may be gone, locked, or closed to this token. */
async function said(attempt: Attempt, say: () => Promise<void>): Promise<void> {
  try {
    await say()
  } catch (error) {
    if (!(error instanceof ForgeFailure) || mayPass.has(error.fault)) throw error
    attempt.journal.note('review', `a thread could not be answered: ${error.message}`)
  }
}

const mayPass: ReadonlySet<ForgeFault> = new Set(['rate_limited', 'unreachable', 'credentials_refused'])
const resolveWaitsMs = [500, 1000, 2000]

/** A part of a forge that is down for longer leaves threads unresolved, which harms nobody. */
async function resolvedIn(
  attempt: Attempt,
  forge: ForgeRepository,
  number: number,
  ids: readonly number[],
): Promise<boolean> {
  const { clock } = attempt.parts
  for (const waitMs of [...resolveWaitsMs, null]) {
    try {
      return await forge.resolveThreads(number, ids)
    } catch (error) {
      if (!(error instanceof ForgeFailure) || error.fault !== 'unreachable') throw error
      if (waitMs === null) return false
      await clock.sleep(waitMs, attempt.signal)
    }
  }
  return false
}
