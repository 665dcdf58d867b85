import type { Violation } from '../../model/evidence.ts'
import { judge, judgeCommit } from '../../model/policy/judge.ts'
import type { Policy } from '../../model/policy/schema.ts'
import { effectivePolicy } from '../../model/repository-file/effective-policy.ts'
import type { Work } from '../../ports/publisher.ts'
import type { SecretScanner } from '../../ports/secret-scanner.ts'
import { inStep, type Attempt } from '../attempt.ts'
import { findSecrets } from './secrets.ts'
import type { RepositoryRules } from './repository-file.ts'

/** Judges the publisher's copy by the base's rules under the operator's. Empty: it keeps them all. */
export function judgePolicy(
  attempt: Attempt,
  rules: RepositoryRules,
  work: Work,
): Promise<readonly Violation[]> {
  return inStep(attempt, 'policy', async () => {
    const { scanSecrets, operatorPolicy } = attempt.parts
    const policy = effectivePolicy(rules.written ? rules.file : null, operatorPolicy)
    const violations = await judgeWork(scanSecrets, policy, work)
    attempt.evidence = { ...attempt.evidence, policy: { passed: violations.length === 0, violations } }
    for (const violation of violations) attempt.journal.note('policy', violation.message, { ...violation })
    return violations
  })
}

/** What of the policy some work breaks; reads no more of the work than the policy asks for. */
export async function judgeWork(scan: SecretScanner, policy: Policy, work: Work): Promise<Violation[]> {
  const atHead = await judge(policy, {
    changes: work.changes,
    insertions: work.insertions,
    deletions: work.deletions,
    commits: asksForCommits(policy) ? await work.log() : [],
    secretFindings: policy.secrets === 'deny' ? await findSecrets(scan, work) : [],
    readFile: (at, path, maxBytes) => work.readFile(at, path, maxBytes),
    headTree: () => work.headTree(),
  })
  return restrictsFiles(policy) ? [...atHead, ...(await judgePassing(policy, work, atHead))] : atHead
}

/** Whether anybody wrote down what files may be: else commits on the way have nothing to break. */
function restrictsFiles({ allow, deny, binary, maxFileBytes, protect }: Policy): boolean {
  const isProtecting = protect.some(({ defaults, globs }) => defaults || globs.length > 0)
  return allow.length > 0 || deny.length > 0 || binary === 'deny' || maxFileBytes !== null || isProtecting
}

const maxPassing = 1000

/** What the head does not show, and commits before it do. */
async function judgePassing(
  policy: Policy,
  work: Work,
  known: readonly Violation[],
): Promise<readonly Violation[]> {
  const commits = await work.passing(maxPassing)
  if (commits === null) {
    const message = `The work has more than ${maxPassing} commits, too many to be looked through. Make fewer of them (git reset --soft to the base, then commit).`
    return [{ rule: 'commits', file: null, line: null, message }]
  }
  const keyOf = ({ rule, file }: Violation) => `${rule} ${file}`
  const told = new Set(known.map(keyOf))
  const found: Violation[] = []
  for (const { sha, changes, readFile, tree } of commits) {
    if (changes.length === 0) continue
    for (const violation of await judgeCommit(policy, sha, { changes, readFile, headTree: tree })) {
      if (told.has(keyOf(violation))) continue
      told.add(keyOf(violation))
      found.push(violation)
    }
  }
  return found
}

/** Listing them costs a process, and hardly any policy needs it. */
function asksForCommits(policy: Policy): boolean {
  return policy.mergeCommits === 'deny' || policy.authors.length > 0
}
