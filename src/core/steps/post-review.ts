import { shownLines } from '../../model/patch-lines.ts'
import { asksForChanges, type Finding, type Review } from '../../model/review.ts'
import type { ForgeRepository, NewReview, PullRequest } from '../../ports/forge.ts'
import type { Work } from '../../ports/publisher.ts'
import { inStep, type Attempt } from '../attempt.ts'
import type { Book } from '../book.ts'
import { ownLogin } from '../own-login.ts'
import { findingMark } from './answer-threads.ts'

/** More comments on lines than this are for nobody to read: the rest stands in the body. */
const maxComments = 50
const maxBodyLength = 60_000
const maxCommentLength = 10_000

/**
 * Puts the review on the pull request: one review, once, however often this is tried. Its findings stand on the lines
 * that the diff shows; the others stand in its body.
 */
export function postReview(
  attempt: Attempt,
  forge: ForgeRepository,
  book: Book,
  pull: PullRequest,
  work: Work,
  review: Review,
): Promise<void> {
  return inStep(attempt, 'review', async () => {
    const mark = `<!-- nightshift-review: ${attempt.claimed.task.id} ${work.headSha} -->`
    if (!(await isThere(forge, pull.number, mark))) {
      const own = (await ownLogin(attempt)) === pull.author
      const shown = shownLines((await work.diff()).toString('utf8'))
      await post(attempt, forge, pull, { review, mark, own, shown, sha: work.headSha })
    } else {
      attempt.journal.note('review', 'the pull request has this review already')
    }
    const { review: before, reviews } = book.progress
    if (before !== null) await book.write({ review: { ...before, posted: true }, reviews: reviews + 1 })
  })
}

async function isThere(forge: ForgeRepository, number: number, mark: string): Promise<boolean> {
  const reviews = await forge.reviews(number)
  if (reviews.some((one) => one.body.includes(mark))) return true
  return (await forge.comments(number)).some((one) => one.body.includes(mark))
}

interface Posting {
  readonly review: Review
  readonly mark: string
  /** It is our own pull request, which we may neither approve nor refuse. */
  readonly own: boolean
  readonly shown: ReadonlySet<string>
  readonly sha: string
}

async function post(
  attempt: Attempt,
  forge: ForgeRepository,
  pull: PullRequest,
  posting: Posting,
): Promise<void> {
  let own = posting.own
  let onLines = true
  // Each refusal takes one liberty away, until the review is a plain comment.
  for (;;) {
    const words = wordsOf(attempt, { ...posting, own }, onLines)
    const posted = await forge.postReview(pull.number, words)
    switch (posted.kind) {
      case 'posted':
        return
      case 'own_pull_request':
        if (own) return asComment(posted.kind)
        own = true
        break
      case 'bad_line':
        if (!onLines) return asComment(posted.message)
        onLines = false
        break
      case 'pending_review':
        return asComment('a review of this account is still pending')
      case 'refused':
        return asComment(posted.message)
      default:
        posted satisfies never
    }
  }

  function asComment(why: string): Promise<void> {
    attempt.journal.note('review', `the review is posted as a comment: ${why}`)
    return forge.comment(pull.number, wordsOf(attempt, { ...posting, own: true }, false).body)
  }
}

function wordsOf(attempt: Attempt, posting: Posting, onLines: boolean): NewReview {
  const { review, mark, own, shown, sha } = posting
  const { mask } = attempt.parts
  const refuses = asksForChanges(review)
  const placed = (finding: Finding) => onLines && shown.has(`${finding.file}:${finding.line ?? 0}`)
  const comments = review.findings.filter(placed).slice(0, maxComments)
  const rest = review.findings.filter((finding) => !comments.includes(finding))
  const lines = [
    refuses ? '**Changes are asked for.**' : '**Approved.**',
    ...(own ? ['(Said in words, since this account opened the pull request.)'] : []),
    ...(rest.length === 0 ? [] : ['', ...rest.map((finding) => `- ${placeOf(finding)}${textOf(finding)}`)]),
  ]
  return {
    sha,
    verdict: own ? 'comment' : refuses ? 'request_changes' : 'approve',
    body: `${mask(lines.join('\n')).slice(0, maxBodyLength).toWellFormed()}\n\n${mark}`,
    comments: comments.map((finding) => ({
      path: finding.file,
      line: finding.line ?? 1,
      body: `${mask(textOf(finding)).slice(0, maxCommentLength).toWellFormed()}\n\n${findingMark(attempt)}`,
    })),
  }
}

function placeOf({ file, line }: Finding): string {
  return line === null ? `\`${file}\`: ` : `\`${file}:${line}\`: `
}

// A reviewer's words are shown, and call nobody.
function textOf({ severity, message }: Finding): string {
  return `${severity === 'blocking' ? '**Blocking:**' : 'Minor:'} ${message.replaceAll('@', '@\u200b')}`
}
