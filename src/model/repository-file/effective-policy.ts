import type { Policy } from '../policy/schema.ts'
import { strictest } from '../policy/strictest.ts'
import { defaultRepositoryFile, type RepositoryFile } from './repository-file.ts'

/**
 * The policy that the work is judged by: the repository's own (`null`: it has no file) under the operator's (`null`:
 * there is none). Without checks there is nothing that package scripts or lint settings define, so the built-in list
 * of `protect: default` counts only where the repository's file has checks.
 */
export function effectivePolicy(file: RepositoryFile | null, operator: Policy | null): Policy {
  const { policy: own, checks } = file ?? defaultRepositoryFile()
  const policy = operator === null ? own : strictest(own, operator)
  if (checks.length > 0) return policy
  return { ...policy, protect: policy.protect.map((one) => ({ ...one, defaults: false })) }
}
