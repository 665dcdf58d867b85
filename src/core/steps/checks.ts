import type { CheckResult } from '../../model/evidence.ts'
import { checkCommand, type CheckCommand } from '../../model/repository-file/check-command.ts'
import type { Check } from '../../model/repository-file/check.ts'
import type { Work } from '../../ports/publisher.ts'
import type { CloneSource, ExecEnd, Sandbox } from '../../ports/runtime.ts'
import { inStep, taskEnvironment, type Attempt } from '../attempt.ts'
import { Stop } from '../reasons.ts'
import { networkOf } from './network.ts'
import { openSandbox } from './open-sandbox.ts'
import type { RepositoryRules } from './repository-file.ts'
import { runSetup } from './setup.ts'

const tailBytes = 4000

interface Planned {
  readonly check: Check
  readonly plan: Extract<CheckCommand, { skipped: false }>
}

/**
 * Runs the repository's checks on the head, in a new sandbox from a clean clone, on the files that changed. Answers
 * those that failed; what fails on the base in the same way is not among them.
 */
export async function runChecks(
  attempt: Attempt,
  source: CloneSource,
  rules: RepositoryRules,
  work: Work,
): Promise<readonly CheckResult[]> {
  const planned = plan(rules, work)
  if (planned.length === 0) return []
  const head = { bundle: await work.bundle(), headSha: work.headSha }
  const results = await inSandbox(attempt, { ...source, work: head }, rules, 'head', planned)
  const doubtful = planned.filter(({ check }) => check.baseline && hasFailed(results, check.name))
  const onBase =
    doubtful.length === 0 ? [] : await inSandbox(attempt, { ...source, work: null }, rules, 'base', doubtful)
  const judged = results.map((result) =>
    result.exitCode !== 0 && failsAlike(result, onBase) ? { ...result, baselineFailed: true } : result,
  )
  attempt.evidence = { ...attempt.evidence, checks: judged }
  return judged.filter((result) => result.exitCode !== 0 && result.baselineFailed !== true)
}

function plan(rules: RepositoryRules, work: Work): Planned[] {
  const changed = work.changes.filter((change) => change.status !== 'deleted').map((change) => change.path)
  return rules.file.checks.flatMap((check) => {
    const command = checkCommand(check, changed)
    return command.skipped ? [] : [{ check, plan: command }]
  })
}

async function inSandbox(
  attempt: Attempt,
  source: CloneSource,
  rules: RepositoryRules,
  on: 'base' | 'head',
  planned: readonly Planned[],
): Promise<CheckResult[]> {
  const { file } = rules
  const sandbox = await openSandbox(attempt, { purpose: 'checks', image: file.image, source })
  try {
    if (file.setup !== null) {
      await runSetup(attempt, sandbox, file.setup.run, { on, network: networkOf(rules.hosts.setup) })
    }
    return await inStep(attempt, 'checks', async () => {
      const results: CheckResult[] = []
      for (const one of planned) results.push(await runOne(attempt, sandbox, rules, one))
      return results
    })
  } finally {
    await sandbox.close()
  }
}

async function runOne(
  attempt: Attempt,
  sandbox: Sandbox,
  rules: RepositoryRules,
  planned: Planned,
): Promise<CheckResult> {
  const { journal, signal } = attempt
  const { check, plan: command } = planned
  let durationMs = 0
  let end: ExecEnd | null = null
  for (const line of command.commands) {
    journal.note('checks', `${check.name}: ${line.slice(0, 500)}`)
    end = await sandbox.exec({
      argv: ['/bin/sh', '-c', line],
      env: taskEnvironment(attempt),
      network: networkOf(rules.hosts.checks),
      signal,
      timeoutMs: check.timeoutMs,
      onLine: (output) => journal.output('checks', output.text),
    })
    durationMs += end.durationMs
    if (end.kind === 'aborted') throw signal.reason
    if (end.kind === 'out_of_memory') {
      throw new Stop({ kind: 'out_of_memory', step: 'checks', memoryBytes: attempt.parts.limits.memoryBytes })
    }
    if (end.exitCode !== 0) break
  }
  return {
    name: check.name,
    command: check.run,
    files: [...command.files],
    exitCode: end?.exitCode ?? null,
    durationMs: Math.round(durationMs),
    outputTail: attempt.parts.mask(`${end?.stdoutTail ?? ''}${end?.stderrTail ?? ''}`.slice(-tailBytes)),
  }
}

function hasFailed(results: readonly CheckResult[], name: string): boolean {
  return results.some((result) => result.name === name && result.exitCode !== 0)
}

/** The same exit code and the same output but for numbers, which are mostly times and counts. */
function failsAlike(result: CheckResult, onBase: readonly CheckResult[]): boolean {
  const before = onBase.find((other) => other.name === result.name)
  if (before === undefined || before.exitCode !== result.exitCode) return false
  const known = new Set(linesOf(before))
  return linesOf(result).every((line) => known.has(line))
}

function linesOf(result: CheckResult): string[] {
  return (result.outputTail ?? '').split('\n').map((line) => line.trim().replaceAll(/\d+/g, '#'))
}
