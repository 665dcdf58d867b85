import type { Rule } from '../rule.ts'

/** `mergeCommits: deny`: every commit has one parent. */
export const mergeCommits: Rule = (policy, work) => {
  if (policy.mergeCommits === 'allow') return []
  return work.commits
    .filter((commit) => commit.parents.length > 1)
    .map((commit) => ({
      rule: 'mergeCommits',
      file: null,
      line: null,
      message: `Commit ${commit.sha.slice(0, 12)} is a merge, which the policy denies. Rebase instead, so that every commit has one parent.`,
    }))
}
