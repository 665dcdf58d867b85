import type { Network } from '../../model/network.ts'
import type { Sandbox } from '../../ports/runtime.ts'
import { inStep, taskEnvironment, type Attempt } from '../attempt.ts'
import { Stop } from '../reasons.ts'

/** Runs the repository's set-up command. A failure on the base is for a person to mend; one on the head is the work's. */
export function runSetup(
  attempt: Attempt,
  sandbox: Sandbox,
  command: string,
  where: { on: 'base' | 'head'; network: Network },
): Promise<void> {
  const { journal, signal, claimed, parts } = attempt
  return inStep(attempt, 'setup', async () => {
    const end = await sandbox.exec({
      argv: ['/bin/sh', '-c', command],
      env: taskEnvironment(attempt),
      network: where.network,
      signal,
      timeoutMs: claimed.options.timeoutMs,
      onLine: (line) => journal.output('setup', line.text),
      manyLines: true,
    })
    if (end.kind === 'aborted') throw signal.reason
    if (end.kind === 'out_of_memory') {
      throw new Stop({ kind: 'out_of_memory', step: 'setup', memoryBytes: parts.limits.memoryBytes })
    }
    if (end.exitCode === 0) return
    const how = end.exitCode === null ? 'did not end in time' : `exited with code ${end.exitCode}`
    const outputTail = end.stderrTail.trim() === '' ? end.stdoutTail : end.stderrTail
    throw new Stop({ kind: 'setup_failed', on: where.on, command, how, outputTail })
  })
}
