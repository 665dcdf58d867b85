import type { Rule } from '../rule.ts'

/** `maxLines`: lines added and removed, together. */
export const maxLines: Rule = (policy, work) => {
  const count = work.insertions + work.deletions
  if (policy.maxLines === null || count <= policy.maxLines) return []
  const message =
    `${count} lines changed (${work.insertions} added, ${work.deletions} removed); at most ${policy.maxLines} may. ` +
    'Keep to what the task needs, and undo the rest, such as reformatted or generated files.'
  return [{ rule: 'maxLines', file: null, line: null, message }]
}
