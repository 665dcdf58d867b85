import { matcherOf } from '../glob.ts'
import { shown, type Rule } from '../rule.ts'

/** `authors`: addresses that commits may carry, as author and as committer. Case does not count in an address. */
export const authors: Rule = (policy, work) => {
  const lists = policy.authors.map((globs) => ({
    globs,
    matches: matcherOf(globs.map((glob) => glob.toLowerCase())),
  }))
  if (lists.length === 0) return []
  return work.commits.flatMap((commit) =>
    [...new Set([commit.authorEmail, commit.committerEmail])].flatMap((email) => {
      const closed = lists.find((list) => !list.matches(email.toLowerCase()))
      if (closed === undefined) return []
      const message =
        `Commit ${commit.sha.slice(0, 12)} carries the address ${shown(email)}; only ${closed.globs.join(', ')} may stand there. ` +
        'Set user.email and make the commit anew (commits that Nightshift makes carry NIGHTSHIFT_AUTHOR, which a person sets).'
      return [{ rule: 'authors', file: null, line: null, message }]
    }),
  )
}
