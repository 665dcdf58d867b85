import { shown, type Rule } from '../rule.ts'

/** `secrets: deny`: nothing that a scanner takes for a secret. The message never holds the secret. */
export const secrets: Rule = (policy, work) => {
  if (policy.secrets === 'allow') return []
  return work.secretFindings.map(({ file, line, kind }) => ({
    rule: 'secrets',
    file,
    line,
    message:
      `${shown(file)}${line === null ? '' : `, line ${line}`}: this looks like a secret (${shown(kind)}). ` +
      'Remove it from every commit and read it from the environment instead.',
  }))
}
