import type { Command } from 'commander'
import { exitCodes, UsageError } from './command-failure.ts'
import { wholeNumber, type CliContext, type CommonFlags } from './context.ts'
import { aborted, graceMs } from './grace.ts'
import { missingLines, missingParts, runtimeClause } from './missing-parts.ts'

/** `worker`: takes tasks of a shared database until it is told to stop. */
export function addWorkerCommand(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  const { terminal } = context
  program
    .command('worker')
    .description('work on queued tasks, beside a server or other workers on one database')
    .option('--slots <number>', 'tasks at the same time, 1 to 256 (default: NIGHTSHIFT_SLOTS, or 4)')
    .option('--grace <duration>', 'how long tasks may go on after SIGTERM before they are handed back', '30s')
    .action(async (flags: CommonFlags & { slots?: string; grace: string }) => {
      const grace = graceMs(flags.grace)
      const settings = context.settings()
      const slots = flags.slots === undefined ? settings.slots : wholeNumber('--slots', flags.slots, 1, 256)
      const system = await context.open(settings)
      try {
        const entries = await system.doctor()
        const missing = missingParts(entries, { runtime: undefined, agents: [] })
        if (missing.length > 0) throw new UsageError(missingLines(missing))
        terminal.say(`nightshift ${context.version} worker, ${slots} slots; ${runtimeClause(entries)}`)
        const scheduler = system.startScheduler({ pool: null, slots })
        if (flags.json === true) await terminal.printJson({ slots })
        await aborted(context.interrupted)
        terminal.say(`stopping: ${scheduler.running} tasks have ${flags.grace} to end; again to stop at once`)
        await scheduler.drain(grace)
      } finally {
        await system.close()
      }
      setExitCode(exitCodes.good)
    })
}
