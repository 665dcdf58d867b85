import type { Violation } from '../../model/evidence.ts'
import { judge } from '../../model/policy/judge.ts'
import type { Policy } from '../../model/policy/schema.ts'
import { effectivePolicy } from '../../model/repository-file/effective-policy.ts'
import type { Work } from '../../ports/publisher.ts'
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
    const policy = effectivePolicy(rules.written ? rules.file : null, attempt.parts.operatorPolicy)
    const violations = await judge(policy, {
      changes: work.changes,
      insertions: work.insertions,
      deletions: work.deletions,
      commits: asksForCommits(policy) ? await work.log() : [],
      secretFindings: policy.secrets === 'deny' ? await findSecrets(attempt.parts.scanSecrets, work) : [],
      readFile: (at, path, maxBytes) => work.readFile(at, path, maxBytes),
      headTree: () => work.headTree(),
    })
    attempt.evidence = { ...attempt.evidence, policy: { passed: violations.length === 0, violations } }
    for (const violation of violations) attempt.journal.note('policy', violation.message, { ...violation })
    return violations
  })
}

/** Listing them costs a process, and hardly any policy needs it. */
function asksForCommits(policy: Policy): boolean {
  return policy.mergeCommits === 'deny' || policy.authors.length > 0
}
