import type { CheckResult } from '../../model/evidence.ts'
import { newFailures, type CheckOutput } from '../../model/check-output.ts'
import { checkCommand, type CheckCommand } from '../../model/repository-file/check-command.ts'
import type { Check } from '../../model/repository-file/check.ts'
import type { Change } from '../../ports/publisher.ts'
import type { ExecEnd } from '../../ports/runtime.ts'

const tailBytes = 4000
/** Of one check, so that its failures can be told from those of the base. */
const maxKeptLines = 100_000
const maxShownNew = 200

/** A check and what it has to run. */
export interface PlannedCheck {
  readonly check: Check
  readonly plan: Extract<CheckCommand, { skipped: false }>
}

/** How a check went: what the evidence says of it, and what it printed. */
export interface CheckRun {
  readonly result: CheckResult
  readonly output: CheckOutput
}

/** Runs one line of shell to its end, telling every line that it prints. */
export type RunLine = (
  line: string,
  options: { timeoutMs: number; onLine: (text: string) => void },
) => Promise<Pick<ExecEnd, 'exitCode' | 'durationMs' | 'stdoutTail' | 'stderrTail'>>

/** The checks that have something to do for these changes; files that were deleted are not among theirs. */
export function planChecks(checks: readonly Check[], changes: readonly Change[]): PlannedCheck[] {
  const paths = changes.filter((change) => change.status !== 'deleted').map((change) => change.path)
  return plansFor(checks, paths)
}

/**
 * Of these checks, those that failed and have a baseline to be compared with: on the base, with the files that it has.
 * A check all of whose files are new is not among them: nothing of it can have failed there.
 */
export function planBaseline(
  planned: readonly PlannedCheck[],
  runs: readonly CheckRun[],
  changes: readonly Change[],
): PlannedCheck[] {
  const failed = new Set(runs.filter(({ result }) => result.exitCode !== 0).map(({ result }) => result.name))
  const doubtful = planned
    .map(({ check }) => check)
    .filter(({ name, baseline }) => baseline && failed.has(name))
  const there = changes.filter((change) => change.status !== 'added').map((change) => change.path)
  return plansFor(doubtful, there)
}

function plansFor(checks: readonly Check[], paths: readonly string[]): PlannedCheck[] {
  return checks.flatMap((check) => {
    const plan = checkCommand(check, paths)
    return plan.skipped ? [] : [{ check, plan }]
  })
}

/** Runs one check: all its commands, until one fails. */
export async function runCheck(
  { check, plan }: PlannedCheck,
  run: RunLine,
  mask: (text: string) => string,
): Promise<CheckRun> {
  const lines: string[] = []
  let durationMs = 0
  let count = 0
  let end: Awaited<ReturnType<RunLine>> | null = null
  for (const line of plan.commands) {
    end = await run(line, {
      timeoutMs: check.timeoutMs,
      onLine: (text) => {
        if (count <= maxKeptLines) {
          const told = text.split('\n')
          count += told.length
          lines.push(...told.slice(0, maxKeptLines - lines.length))
        }
      },
    })
    durationMs += end.durationMs
    if (end.exitCode !== 0) break
  }
  const exitCode = end?.exitCode ?? null
  const result = {
    name: check.name,
    command: check.run,
    files: [...plan.files],
    exitCode,
    durationMs: Math.round(durationMs),
    outputTail: mask(`${end?.stdoutTail ?? ''}${end?.stderrTail ?? ''}`.slice(-tailBytes)),
  }
  return { result, output: { exitCode, lines, whole: count <= maxKeptLines } }
}

/** The results, with what the base has already told apart. */
export function judgeRuns(
  runs: readonly CheckRun[],
  onBase: readonly CheckRun[],
  mask: (text: string) => string,
) {
  return runs.map(({ result, output }): CheckResult => {
    const before = onBase.find((other) => other.result.name === result.name)
    if (result.exitCode === 0 || before === undefined) return result
    const found = newFailures(before.output, output)
    if (found === null) return result
    if (found.length === 0) return { ...result, baselineFailed: true }
    const shown = found.slice(0, maxShownNew).map((line) => mask(line))
    return { ...result, newFailures: shown }
  })
}

/** Whether this result keeps the work back. */
export function holdsBack(result: CheckResult): boolean {
  return result.exitCode !== 0 && result.baselineFailed !== true
}
