import type { Setup } from '../../model/repository-file/setup.ts'
import type { CloneSource, ExecEnd, Sandbox } from '../../ports/runtime.ts'
import { inStep, taskEnvironment, type Attempt } from '../attempt.ts'
import { Stop } from '../reasons.ts'
import { networkOf } from './network.ts'
import type { RepositoryRules } from './repository-file.ts'
import { bringSetup, keepSetup, setupKey } from './setup-cache.ts'

/** Which set-up: on the base or on the work on top of it, by whose rules. */
export interface SetupPlace {
  readonly on: 'base' | 'head'
  readonly rules: RepositoryRules
  readonly source: CloneSource
}

/**
 * Runs the repository's set-up, or takes what it made before of the same inputs. A failure on the base is for a person to
 * mend; one on the head is the work's.
 */
export function runSetup(attempt: Attempt, sandbox: Sandbox, setup: Setup, place: SetupPlace): Promise<void> {
  return inStep(attempt, 'setup', async () => {
    const key = setup.inputs === null ? null : await setupKey(attempt, sandbox, setup.inputs, place)
    if (key !== null && (await bringSetup(attempt, sandbox, key))) return
    judgeEnd(attempt, setup.run, place, await runIt(attempt, sandbox, setup.run, place))
    // What anything of a task has touched is never kept for others.
    if (key !== null && place.source.work === null) await keepSetup(attempt, sandbox, key)
  })
}

function runIt(attempt: Attempt, sandbox: Sandbox, command: string, { rules }: SetupPlace): Promise<ExecEnd> {
  const { journal, signal, claimed } = attempt
  return sandbox.exec({
    argv: ['/bin/sh', '-c', command],
    env: taskEnvironment(attempt),
    network: networkOf(rules.hosts.setup),
    signal,
    timeoutMs: claimed.options.timeoutMs,
    onLine: (line) => journal.output('setup', line.text),
    manyLines: true,
  })
}

function judgeEnd({ signal, parts }: Attempt, command: string, { on }: SetupPlace, end: ExecEnd): void {
  if (end.kind === 'aborted') throw signal.reason
  if (end.kind === 'out_of_memory') {
    throw new Stop({ kind: 'out_of_memory', step: 'setup', memoryBytes: parts.limits.memoryBytes })
  }
  if (end.exitCode === 0) return
  const how = end.exitCode === null ? 'did not end in time' : `exited with code ${end.exitCode}`
  const outputTail = end.stderrTail.trim() === '' ? end.stdoutTail : end.stderrTail
  throw new Stop({ kind: 'setup_failed', on, command, how, outputTail })
}
