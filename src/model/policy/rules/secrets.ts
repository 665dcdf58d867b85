import { shown, type Rule } from '../rule.ts'
import type { SecretFinding } from '../work.ts'

/** `secrets: deny`: nothing that a scanner takes for a secret. The message never holds the secret. */
export const secrets: Rule = (policy, work) => {
  if (policy.secrets === 'allow') return []
  return work.secretFindings.map((finding) => ({
    rule: 'secrets',
    file: finding.file,
    line: finding.line,
    message: `${placeOf(finding)}: this looks like a secret (${shown(finding.kind)}). ${toDo(finding)}`,
  }))
}

function placeOf({ file, line, commit }: SecretFinding): string {
  const where = file === null ? '' : `${shown(file)}${line === null ? '' : `, line ${line}`}`
  if (commit === null) return where === '' ? 'In what the work adds' : where
  const short = `commit ${commit.slice(0, 12)}`
  return where === '' ? `The message of ${short}` : `${where}, as ${short} has it`
}

function toDo({ commit }: SecretFinding): string {
  return commit === null
    ? 'Remove it from every commit and read it from the environment instead.'
    : 'It would be pushed with the history: make the commits anew without it (git reset --soft to the base, then commit).'
}
