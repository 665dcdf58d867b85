import type { CheckResult, Violation } from '../model/evidence.ts'
import { repositoryFileName } from '../model/policy/protected/default-globs.ts'
import type { Policy } from '../model/policy/schema.ts'
import { effectivePolicy } from '../model/repository-file/effective-policy.ts'
import { parseRepositoryFile } from '../model/repository-file/parse.ts'
import type { RepositoryFile } from '../model/repository-file/repository-file.ts'
import type { Checkout } from '../ports/checkout.ts'
import type { SecretScanner } from '../ports/secret-scanner.ts'
import { sentence } from './sentences.ts'
import {
  holdsBack,
  judgeRuns,
  planBaseline,
  planChecks,
  runCheck,
  type CheckRun,
  type RunLine,
} from './steps/check-runs.ts'
import { judgeWork } from './steps/policy.ts'
import { faultLines, maxFileBytes } from './steps/repository-file.ts'

export interface CheckoutParts {
  readonly scanSecrets: SecretScanner
  readonly operatorPolicy: Policy | null
  /** Runs a line of shell in a folder, as the person. */
  readonly runIn: (folder: string) => RunLine
  readonly mask: (text: string) => string
  /** Told what is being done, as sentences. */
  readonly say: (text: string) => void
}

/** What the gate would say of the work in hand. */
export interface CheckoutReport {
  readonly outcome: 'passed' | 'rejected' | 'checks_failed'
  /** In words, as a task would have it; `null`: nothing is in the way. */
  readonly reason: string | null
  readonly base: { readonly name: string; readonly sha: string }
  readonly files: readonly string[]
  readonly policy: { readonly passed: boolean; readonly violations: readonly Violation[] }
  readonly checks: readonly CheckResult[]
}

/** The rules cannot be read. One line a fault. */
export class RulesFault extends Error {
  override readonly name = 'RulesFault'
}

/**
 * Judges a checkout as the gate judges a task's work: by the rules of the base, policy first, then the checks. Those
 * run right there, as the person, without a sandbox and without set-up. Throws {@link RulesFault}.
 */
export async function checkCheckout(
  parts: CheckoutParts,
  checkout: Checkout,
  wanted: { readonly checks: boolean },
): Promise<CheckoutReport> {
  const { work } = checkout
  const rules = await rulesOf(parts, checkout)
  const policy = effectivePolicy(rules.file, parts.operatorPolicy)
  const found = await judgeWork(parts.scanSecrets, policy, work)
  // Where the base has no rules, to write them down weakens none.
  const violations = found.filter(
    ({ rule, file }) => rules.fromBase || rule !== 'protect' || file !== repositoryFileName,
  )
  const report = {
    base: { name: checkout.baseName, sha: work.baseSha },
    files: work.changes.map((change) => change.path),
    policy: { passed: violations.length === 0, violations },
  }
  if (violations.length > 0) {
    const reason = sentence({ kind: 'policy_broken', violations })
    return { ...report, outcome: 'rejected', reason, checks: [] }
  }
  const checks = wanted.checks && rules.file !== null ? await runChecks(parts, checkout, rules.file) : []
  const failed = checks.filter(holdsBack)
  if (failed.length === 0) return { ...report, outcome: 'passed', reason: null, checks }
  return { ...report, outcome: 'checks_failed', reason: sentence({ kind: 'checks_failed', failed }), checks }
}

async function rulesOf(parts: CheckoutParts, { work }: Checkout) {
  const atBase = await work.readFile('base', repositoryFileName, maxFileBytes)
  const content = atBase ?? (await work.readFile('head', repositoryFileName, maxFileBytes))
  if (content === null) {
    parts.say(`There is no ${repositoryFileName}: the defaults count. nightshift init writes one.`)
    return { file: null, fromBase: false }
  }
  if (atBase === null) parts.say(`The base has no ${repositoryFileName}: the one in hand counts.`)
  const parsed = parseRepositoryFile(content.toString('utf8'))
  if (!parsed.ok) throw new RulesFault(faultLines(parsed.faults).join('\n'))
  return { file: parsed.file, fromBase: atBase !== null }
}

async function runChecks(
  parts: CheckoutParts,
  checkout: Checkout,
  file: RepositoryFile,
): Promise<readonly CheckResult[]> {
  const { changes } = checkout.work
  // With nothing changed there is nothing to be pushed, and the gate is never asked.
  if (changes.length === 0) return []
  const planned = planChecks(file.checks, changes)
  const runs: CheckRun[] = []
  for (const one of planned) {
    parts.say(`check ${one.check.name}: ${one.check.run}`)
    runs.push(await runCheck(one, parts.runIn(checkout.root), parts.mask))
  }
  const doubtful = planBaseline(planned, runs, changes)
  return judgeRuns(
    runs,
    doubtful.length === 0 ? [] : await runOnBase(parts, checkout, file, doubtful),
    parts.mask,
  )
}

async function runOnBase(
  parts: CheckoutParts,
  checkout: Checkout,
  file: RepositoryFile,
  doubtful: ReturnType<typeof planBaseline>,
): Promise<readonly CheckRun[]> {
  const folder = await checkout.layOutBase()
  const run = parts.runIn(folder)
  if (file.setup !== null) {
    parts.say(`set-up on the base, to tell its failures apart: ${file.setup.run}`)
    const end = await run(file.setup.run, { timeoutMs: setupTimeoutMs, onLine: () => {} })
    if (end.exitCode !== 0) {
      parts.say('The set-up fails on the base, so every failure counts as new.')
      return []
    }
  }
  const runs: CheckRun[] = []
  for (const one of doubtful) {
    parts.say(`check ${one.check.name}, on the base`)
    runs.push(await runCheck(one, run, parts.mask))
  }
  return runs
}

const setupTimeoutMs = 60 * 60_000
