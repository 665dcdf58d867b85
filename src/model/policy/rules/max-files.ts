import type { Rule } from '../rule.ts'

/** `maxFiles`: how many paths may differ; a rename counts as two. */
export const maxFiles: Rule = (policy, work) => {
  const count = work.changes.length
  if (policy.maxFiles === null || count <= policy.maxFiles) return []
  const message = `${count} files changed; at most ${policy.maxFiles} may. Keep to what the task needs, and undo the rest.`
  return [{ rule: 'maxFiles', file: null, line: null, message }]
}
