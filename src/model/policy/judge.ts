import type { Violation } from '../evidence.ts'
import { readOnce } from './read-once.ts'
import type { Rule } from './rule.ts'
import { allow } from './rules/allow.ts'
import { authors } from './rules/authors.ts'
import { binary } from './rules/binary.ts'
import { collisions } from './rules/collisions.ts'
import { content } from './rules/content.ts'
import { deny } from './rules/deny.ts'
import { executable } from './rules/executable.ts'
import { maxFileBytes } from './rules/max-file-bytes.ts'
import { maxFiles } from './rules/max-files.ts'
import { maxLines } from './rules/max-lines.ts'
import { mergeCommits } from './rules/merge-commits.ts'
import { paths } from './rules/paths.ts'
import { protect } from './rules/protect.ts'
import { secrets } from './rules/secrets.ts'
import { submodules } from './rules/submodules.ts'
import { symlinks } from './rules/symlinks.ts'
import { tests } from './rules/tests.ts'
import type { Policy } from './schema.ts'
import type { JudgedWork } from './work.ts'

const rules: readonly Rule[] = [
  paths,
  collisions,
  allow,
  deny,
  protect,
  maxFiles,
  maxLines,
  maxFileBytes,
  binary,
  submodules,
  symlinks,
  executable,
  mergeCommits,
  authors,
  secrets,
  content,
  tests,
]

/** What counts for every commit, since all of them are pushed: what a path may be, and what it may hold as a whole. */
const rulesOfCommits: readonly Rule[] = [paths, allow, deny, protect, maxFileBytes, binary, submodules]

/** Violations of one rule that are told; one more says how many there are. Evidence and prompts stay readable. */
export const maxViolationsPerRule = 100

/**
 * Every rule that the work breaks; empty: it holds. Rejects only where the work's own functions do, that is where the
 * machinery failed: never on account of what an agent made.
 */
export function judge(policy: Policy, work: JudgedWork): Promise<Violation[]> {
  return judgeBy(rules, policy, work)
}

/** What a commit on the way to the head breaks though the head does not, by the rules that count for every commit. */
export async function judgeCommit(
  policy: Policy,
  sha: string,
  commit: Pick<JudgedWork, 'changes' | 'readFile' | 'headTree'>,
): Promise<Violation[]> {
  const found = await judgeBy(rulesOfCommits, policy, {
    ...commit,
    insertions: 0,
    deletions: 0,
    commits: [],
    secretFindings: [],
  })
  const where = `Commit ${sha.slice(0, 12)} has it, and would be pushed with the history: make the commits anew without it (git reset --soft to the base, then commit).`
  return found.map((violation) => ({ ...violation, message: `${violation.message} ${where}` }))
}

async function judgeBy(by: readonly Rule[], policy: Policy, work: JudgedWork): Promise<Violation[]> {
  const found: Violation[] = []
  let tree: ReturnType<JudgedWork['headTree']> | null = null
  const once: JudgedWork = {
    changes: work.changes,
    insertions: work.insertions,
    deletions: work.deletions,
    commits: work.commits,
    secretFindings: work.secretFindings,
    readFile: readOnce((at, path, maxBytes) => work.readFile(at, path, maxBytes)),
    headTree: () => (tree ??= work.headTree()),
  }
  for (const rule of by) {
    const violations = await rule(policy, once)
    found.push(...violations.slice(0, maxViolationsPerRule))
    const [first] = violations
    if (first === undefined || violations.length <= maxViolationsPerRule) continue
    const message = `${first.rule}: ${violations.length - maxViolationsPerRule} more of the same kind.`
    found.push({ rule: first.rule, file: null, line: null, message })
  }
  return found
}
