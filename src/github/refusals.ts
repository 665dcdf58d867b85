import type { Created, Merged, Posted } from '../ports/forge.ts'
import type { Refusal } from './failures.ts'

/*
 * What GitHub means when it says no. One status covers refusals that pass and refusals that are final, so the words
 * of its answer decide: those of the message, and those of each error in it.
 */

/** Of `POST /repos/{owner}/{repo}/pulls`. */
export function creationRefused(refusal: Refusal): Created {
  if (refusal.says(/^No commits between/i)) return { kind: 'no_commits', message: refusal.message }
  if (refusal.says(/pull request already exists/i)) return { kind: 'exists' }
  if (refusal.fields.includes('head: invalid')) return { kind: 'head_missing' }
  if (refusal.fields.includes('base: invalid')) return { kind: 'base_missing' }
  return { kind: 'refused', message: refusal.message }
}

/** Of `POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews`. */
export function reviewRefused(refusal: Refusal): Posted {
  if (refusal.says(/can ?not (?:approve|request changes on) your own/i)) return { kind: 'own_pull_request' }
  if (refusal.says(/one pending review/i)) return { kind: 'pending_review' }
  const aboutLine = /(?:line|path|position|thread|commit_id|diff)\b.*(?:resolved|part of|invalid|must be)/i
  if (refusal.says(aboutLine) || refusal.fields.some((field) => /line|path|position|comments/.test(field))) {
    return { kind: 'bad_line', message: refusal.message }
  }
  return { kind: 'refused', message: refusal.message }
}

/** Of `PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge`: 405, 409 and 422. */
export function mergeRefused(refusal: Refusal): Merged {
  const { message } = refusal
  if (refusal.says(/base branch was modified/i)) return { kind: 'base_moved' }
  if (refusal.says(/head branch was modified|head sha/i)) return { kind: 'head_moved' }
  if (refusal.says(/still a draft/i)) return { kind: 'draft' }
  if (refusal.says(/required status check|required (?:check|deployment|workflow)/i)) {
    return { kind: 'check_expected', message }
  }
  if (refusal.says(/approving review|review (?:is )?required|changes (?:were )?requested|code owner/i)) {
    return { kind: 'review_expected', message }
  }
  // "Merge already in progress" is the same for us: a moment later it is merged, or it is not.
  if (refusal.says(/not mergeable|merge conflict|already in progress/i)) return { kind: 'conflict', message }
  return { kind: 'refused', message }
}
