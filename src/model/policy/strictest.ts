import type { Policy } from './schema.ts'

/** Both policies at once: what either of them forbids is forbidden, so neither can loosen the other. */
export function strictest(repository: Policy, operator: Policy): Policy {
  return {
    allow: [...repository.allow, ...operator.allow],
    deny: [...repository.deny, ...operator.deny],
    maxFiles: lower(repository.maxFiles, operator.maxFiles),
    maxLines: lower(repository.maxLines, operator.maxLines),
    maxFileBytes: lower(repository.maxFileBytes, operator.maxFileBytes),
    tests: stricterOf(['keep', 'free'], repository.tests, operator.tests),
    binary: stricterOf(denyFirst, repository.binary, operator.binary),
    submodules: stricterOf(denyFirst, repository.submodules, operator.submodules),
    executable: stricterOf(denyFirst, repository.executable, operator.executable),
    symlinks: stricterOf(['deny', 'inside', 'allow'], repository.symlinks, operator.symlinks),
    secrets: stricterOf(denyFirst, repository.secrets, operator.secrets),
    mergeCommits: stricterOf(denyFirst, repository.mergeCommits, operator.mergeCommits),
    protect: [...repository.protect, ...operator.protect.map((one) => ({ ...one, byOperator: true }))],
    authors: [...repository.authors, ...operator.authors],
    content: [...repository.content, ...operator.content],
  }
}

const denyFirst = ['deny', 'allow'] as const

function stricterOf<T>(strictestFirst: readonly T[], one: T, other: T): T {
  return strictestFirst.indexOf(one) <= strictestFirst.indexOf(other) ? one : other
}

function lower(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other
  return Math.min(one, other)
}
