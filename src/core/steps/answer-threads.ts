import type { ForgeRepository, PullRequest } from '../../ports/forge.ts'
import type { Work } from '../../ports/publisher.ts'
import { inStep, type Attempt } from '../attempt.ts'
import type { Book } from '../book.ts'

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
    const login = (await attempt.parts.forge?.identity())?.login
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
      await forge.answer(pull.number, id, `${what}\n${changes}\n\n${mark}`)
    }
    const resolved = await forge.resolveThreads(
      pull.number,
      ours.map(({ id }) => id),
    )
    if (!resolved)
      attempt.journal.note('review', 'the forge does not let threads be resolved: they stay open')
    await book.write({ toAnswer: null })
  })
}
