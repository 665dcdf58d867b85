import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import { submit } from '../core/submit.ts'
import type { System } from '../core/system.ts'
import { runtimeNames } from '../model/submission.ts'
import { isGood } from '../model/outcome.ts'
import { shortId } from '../model/task-id.ts'
import type { Task } from '../model/task.ts'
import { closingTable } from './closing-table.ts'
import { exitCodes, UsageError } from './command-failure.ts'
import { wholeNumber, type CliContext, type CommonFlags } from './context.ts'
import { missingLines, missingParts } from './missing-parts.ts'
import { createProgress } from './progress.ts'
import { readPrompts } from './prompts.ts'
import { watchRun } from './run-watching.ts'
import { addSubmissionFlags, faultLines, submissionOf, type SubmissionFlags } from './submission-flags.ts'

type RunFlags = SubmissionFlags & CommonFlags & { parallel: string }

const examples = `Examples:
  nightshift run "Fix the typo in README" --repo . --command 'sed -i s/teh/the/ README.md'
  nightshift run "Do this" "Do that" --repo https://example.org/team/project.git --command ./agent.sh --parallel 2
  nightshift run --prompt-file task.md --repo . --command ./agent.sh --timeout 45m --json
`

/** `run`: queues, works and waits, without a server; the tasks are its own, and end with it. */
export function addRunCommand(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  addSubmissionFlags(program.command('run').description('do tasks now, side by side, and wait for them'))
    .option('--parallel <number>', 'how many at the same time, 1 to 256', '4')
    .addHelpText('before', examples)
    .action(async (typed: string[], flags: RunFlags) => {
      const slots = wholeNumber('--parallel', flags.parallel, 1, 256)
      const prompts = await readPrompts(typed, flags, context.stdin)
      const system = await context.open(context.settings())
      try {
        setExitCode(await run(context, system, prompts, flags, slots))
      } finally {
        await system.close()
      }
    })
}

async function run(
  context: CliContext,
  system: System,
  prompts: readonly string[],
  flags: RunFlags,
  slots: number,
): Promise<number> {
  const { terminal, interrupted } = context
  const missing = missingParts(await system.doctor(), { runtime: flags.runtime, agent: flags.agent })
  if (missing.length > 0) throw new UsageError(missingLines(missing))
  if (interrupted.aborted) return exitCodes.interrupted
  const asked = runtimeNames.find((name) => name === flags.runtime) ?? 'auto'
  terminal.say(`runtime: ${await system.explainRuntime(asked)}`)

  const pool = randomUUID()
  const requests = prompts.map((prompt) => submissionOf(prompt, flags))
  const submitted = await submit(system.submitContext, requests, { door: 'terminal', pool })
  if (submitted.kind === 'faulty') throw new UsageError(faultLines(submitted.faults))
  if (submitted.kind === 'key_reused') throw new Error(`the key ${submitted.key} was used before`)

  const scheduler = system.startScheduler({ pool, slots })
  const progress = createProgress(terminal, submitted.tasks)
  let tasks: readonly Task[]
  try {
    tasks = await watchRun({
      store: system.store,
      log: system.log,
      tasks: submitted.tasks,
      progress,
      interrupted,
    })
  } finally {
    progress.close()
    // Where the watching failed, tasks may still run: they are given back, and end with their pool.
    await scheduler.drain(0)
  }

  if (flags.json === true) await terminal.printJson({ tasks })
  else await terminal.print(closingTable(tasks, terminal))
  const bad = tasks.filter((task) => task.outcome === null || !isGood(task.outcome))
  if (interrupted.aborted) return exitCodes.interrupted
  if (bad.length > 0 && flags.json !== true) {
    terminal.say(
      `${bad.length} of ${tasks.length} did not end well: ${bad.map((task) => shortId(task.id)).join(' ')}`,
    )
  }
  return bad.length === 0 ? exitCodes.good : exitCodes.badOutcome
}
