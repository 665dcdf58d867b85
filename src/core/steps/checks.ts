import type { CheckResult } from '../../model/evidence.ts'
import type { Work } from '../../ports/publisher.ts'
import type { CloneSource, Sandbox } from '../../ports/runtime.ts'
import { inStep, taskEnvironment, type Attempt } from '../attempt.ts'
import { Stop } from '../reasons.ts'
import {
  holdsBack,
  judgeRuns,
  planBaseline,
  planChecks,
  runCheck,
  type CheckRun,
  type PlannedCheck,
} from './check-runs.ts'
import { networkOf } from './network.ts'
import { cloneSandbox } from './open-sandbox.ts'
import type { RepositoryRules } from './repository-file.ts'
import { runSetup } from './setup.ts'

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
  const planned = planChecks(rules.file.checks, work.changes)
  if (planned.length === 0) return []
  const head = { bundle: await work.bundle(), headSha: work.headSha }
  const runs = await inSandbox(attempt, { ...source, work: head }, rules, 'head', planned)
  const doubtful = planBaseline(planned, runs, work.changes)
  const onBase =
    doubtful.length === 0 ? [] : await inSandbox(attempt, { ...source, work: null }, rules, 'base', doubtful)
  const checks = judgeRuns(runs, onBase, attempt.parts.mask)
  attempt.evidence = { ...attempt.evidence, checks }
  return checks.filter(holdsBack)
}

async function inSandbox(
  attempt: Attempt,
  source: CloneSource,
  rules: RepositoryRules,
  on: 'base' | 'head',
  planned: readonly PlannedCheck[],
): Promise<CheckRun[]> {
  const { file } = rules
  const sandbox = await cloneSandbox(attempt, {
    purpose: 'checks',
    image: file.image,
    program: null,
    source,
  })
  try {
    if (file.setup !== null) {
      await runSetup(attempt, sandbox, file.setup, { on, rules, source })
    }
    return await inStep(attempt, 'checks', async () => {
      const runs: CheckRun[] = []
      for (const one of planned) runs.push(await runOne(attempt, sandbox, rules, one))
      return runs
    })
  } finally {
    await sandbox.close()
  }
}

function runOne(
  attempt: Attempt,
  sandbox: Sandbox,
  rules: RepositoryRules,
  planned: PlannedCheck,
): Promise<CheckRun> {
  const { journal, signal, parts } = attempt
  return runCheck(
    planned,
    async (line, { timeoutMs, onLine }) => {
      journal.note('checks', `${planned.check.name}: ${line.slice(0, 500)}`)
      const end = await sandbox.exec({
        argv: ['/bin/sh', '-c', line],
        env: taskEnvironment(attempt),
        network: networkOf(rules.hosts.checks),
        signal,
        timeoutMs,
        onLine: ({ text }) => {
          journal.output('checks', text)
          onLine(text)
        },
        manyLines: true,
      })
      if (end.kind === 'aborted') throw signal.reason
      if (end.kind === 'out_of_memory')
        throw new Stop({ kind: 'out_of_memory', step: 'checks', memoryBytes: parts.limits.memoryBytes })
      return end
    },
    parts.mask,
  )
}
