import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import { submitRun, type RunRequest } from '../core/submit-run.ts'
import { submit } from '../core/submit.ts'
import type { System } from '../core/system.ts'
import { agentsOf } from '../model/lineup.ts'
import { runtimeNames } from '../model/submission.ts'
import { isGood } from '../model/outcome.ts'
import { shortId } from '../model/task-id.ts'
import type { Task } from '../model/task.ts'
import { closingTable } from './closing-table.ts'
import { exitCodes, UsageError } from './command-failure.ts'
import { wholeNumber, type CliContext, type CommonFlags } from './context.ts'
import { missingLines, missingParts } from './missing-parts.ts'
import { planRequest, runFaultLines } from './plan-run.ts'
import { createProgress } from './progress.ts'
import { readPrompts } from './prompts.ts'
import { watchRun } from './run-watching.ts'
import { addSubmissionFlags, submissionOf, type SubmissionFlags } from './submission-flags.ts'

type RunFlags = SubmissionFlags & CommonFlags & { parallel: string; plan?: string }

const examples = `Examples:
  nightshift run "Fix the typo in README" --repo . --command 'sed -i s/teh/the/ README.md'
  nightshift run "Do this" "Do that" --repo https://example.org/team/project.git --command ./agent.sh --parallel 2
  nightshift run --plan plans/night.md --parallel 8
  nightshift run --prompt-file task.md --repo . --command ./agent.sh --timeout 45m --json
`

/** `run`: queues, works and waits, without a server; the tasks are its own, and end with it. */
export function addRunCommand(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  addSubmissionFlags(program.command('run').description('do tasks now, side by side, and wait for them'))
    .option('--plan <file>', 'carry out a plan, batch by batch; other flags are defaults for its tasks')
    .option('--parallel <number>', 'how many at the same time, 1 to 256', '4')
    .addHelpText('before', examples)
    .action(async (typed: string[], flags: RunFlags) => {
      const slots = wholeNumber('--parallel', flags.parallel, 1, 256)
      const work = await workOf(context, typed, flags)
      const system = await context.open(context.settings())
      try {
        setExitCode(await run(context, system, work, flags, slots))
      } finally {
        await system.close()
      }
    })
}

/** What is to be done: the tasks of prompts, or those of a plan. */
type Work = { readonly agents: readonly string[] } & (
  | { kind: 'prompts'; requests: readonly unknown[] }
  | { kind: 'plan'; request: RunRequest }
)

async function workOf(context: CliContext, typed: readonly string[], flags: RunFlags): Promise<Work> {
  if (flags.plan !== undefined) return { kind: 'plan', ...(await planRequest(flags.plan, typed, flags)) }
  const prompts = await readPrompts(typed, flags, context.stdin)
  return {
    kind: 'prompts',
    agents: agentsOf(submissionOf('', flags)),
    requests: prompts.map((prompt) => submissionOf(prompt, flags)),
  }
}

/** Stores the tasks in a pool of their own. Throws {@link UsageError} where they cannot be taken. */
async function submitWork(system: System, work: Work, pool: string): Promise<readonly Task[]> {
  const options = { door: 'terminal', pool } as const
  const submitted =
    work.kind === 'plan'
      ? await submitRun(system.runContext, work.request, options)
      : await submit(system.submitContext, work.requests, options)
  if (submitted.kind === 'faulty') throw new UsageError(runFaultLines(submitted.faults))
  if (submitted.kind !== 'accepted') throw new Error(`the tasks were not taken: ${submitted.kind}`)
  return submitted.tasks
}

async function run(
  context: CliContext,
  system: System,
  work: Work,
  flags: RunFlags,
  slots: number,
): Promise<number> {
  const { terminal, interrupted } = context
  // Asking a command line for its version takes seconds: only the agents that are asked for are looked at.
  const asksFor = new Set(work.agents.map((agent) => `agent ${agent}`))
  const asked = runtimeNames.find((name) => name === flags.runtime) ?? 'auto'
  const entries = await system.doctor(
    (area) => !area.startsWith('agent ') || asksFor.has(area),
    (await system.runtimeFor(asked)) ?? 'local',
  )
  const missing = missingParts(entries, { runtime: flags.runtime, agents: work.agents })
  if (missing.length > 0) throw new UsageError(missingLines(missing))
  if (interrupted.aborted) return exitCodes.interrupted

  const pool = randomUUID()
  const submitted = await submitWork(system, work, pool)
  terminal.say(`runtime: ${await system.explainRuntime(asked)}`)
  const scheduler = system.startScheduler({ pool, slots })
  const progress = createProgress(terminal, submitted)
  let tasks: readonly Task[]
  try {
    tasks = await watchRun({
      store: system.store,
      log: system.log,
      tasks: submitted,
      progress,
      interrupted,
    })
  } finally {
    progress.close()
    // Where the watching failed, tasks may still run: they are given back, and end with their pool.
    await scheduler.drain(0)
  }

  const runId = tasks[0]?.runId ?? null
  if (flags.json === true) await terminal.printJson({ ...(runId === null ? {} : { runId }), tasks })
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
