import type { Command } from 'commander'
import { ServerProblem } from '../client/failures.ts'
import type { TaskEvent } from '../model/event.ts'
import { shortId } from '../model/task-id.ts'
import type { Task } from '../model/task.ts'
import { UsageError, failureOf } from './command-failure.ts'
import { wholeNumber, type CliContext, type CommonFlags } from './context.ts'
import { elapsed } from '../model/elapsed.ts'
import { paintedState, stateOf } from './outcome-text.ts'
import { showTask } from './task-view.ts'
import { table } from './table.ts'

interface ListFlags extends CommonFlags {
  state?: string
  outcome?: string
  repo?: string
  run?: string
  limit: string
  all?: boolean
}

/** `ls`, `show`, `cancel` and `retry`, over the API. */
export function addTaskCommands(program: Command, context: CliContext): void {
  const { terminal } = context

  program
    .command('ls')
    .description('list tasks, newest first')
    .option('--state <state>', 'queued, held, running or done')
    .option('--outcome <outcome>', 'only tasks that ended so')
    .option('--repo <url|path>', 'only tasks of this repository, written as show writes it')
    .option('--run <id>', 'only tasks of this run')
    .option('--limit <number>', 'how many, 1 to 200', '20')
    .option('--all', 'all there are')
    .action(async (flags: ListFlags) => {
      const { items, nextCursor } = await listTasks(context, flags)
      if (flags.json === true) await terminal.printJson({ items, nextCursor })
      else await printTasks(context, items, nextCursor !== null)
    })

  program
    .command('show')
    .argument('<id>', 'the id of a task, or its end')
    .description('show a task with its evidence and its steps')
    .action(async (id: string, flags: CommonFlags) => {
      const client = context.client()
      const task = await client.get(id)
      if (flags.json === true) {
        await terminal.printJson(task)
        return
      }
      const timeline: TaskEvent[] = []
      for await (const event of client.eventsSoFar(task.id)) {
        if (event.type !== 'output' && event.type !== 'step.ended') timeline.push(event)
      }
      await terminal.print(showTask(task, timeline, terminal))
    })

  program
    .command('cancel')
    .argument('<id...>', 'ids of tasks, or their ends')
    .description('end tasks; what they pushed already stays')
    .action((ids: string[], flags: CommonFlags) => {
      const client = context.client()
      return forEach(context, ids, flags, client.cancel, (task) =>
        task.state === 'done' ? `is done: ${stateOf(task)}` : 'is asked to end',
      )
    })

  program
    .command('retry')
    .argument('<id...>', 'ids of tasks that are done, or their ends')
    .description('do the work of tasks again, as new tasks')
    .action((ids: string[], flags: CommonFlags) => {
      const client = context.client()
      return forEach(context, ids, flags, client.retry, (task) => `does ${shortId(task.retryOf ?? '')} again`)
    })
}

async function listTasks(context: CliContext, flags: ListFlags) {
  const client = context.client()
  const limit = String(wholeNumber('--limit', flags.limit, 1, 200))
  const parameters: Record<string, string> = { limit: flags.all === true ? '200' : limit }
  for (const name of ['state', 'outcome', 'repo'] as const) {
    const value = flags[name]
    if (value !== undefined) parameters[name] = value
  }
  if (flags.run !== undefined) parameters['runId'] = (await client.run(flags.run)).id
  const first = await client.list(parameters)
  const items = [...first.items]
  let cursor = first.nextCursor
  while (flags.all === true && cursor !== null) {
    const page = await client.list({ ...parameters, cursor })
    items.push(...page.items)
    cursor = page.nextCursor
  }
  return { items, nextCursor: cursor }
}

async function printTasks(context: CliContext, tasks: readonly Task[], more: boolean): Promise<void> {
  const { terminal } = context
  if (tasks.length === 0) {
    terminal.say('There are no such tasks.')
    return
  }
  const now = Date.now()
  const columns = [
    { title: 'TASK' },
    { title: 'STATE' },
    { title: 'AGE', align: 'right' as const },
    { title: 'REPO', shrinkTo: 12 },
    { title: 'PROMPT', shrinkTo: 10 },
  ]
  const rows = tasks.map((task) => [
    shortId(task.id),
    stateOf(task),
    elapsed(now - Date.parse(task.createdAt)),
    task.repo.replace(/\/+$/, '').split('/').at(-1) ?? task.repo,
    task.prompt,
  ])
  const paint = (text: string, row: number, column: number) => {
    const task = tasks[row]
    return column === 1 && task !== undefined ? paintedState(task, terminal, text) : text
  }
  await terminal.print(table(columns, rows, terminal.width, paint))
  if (more) terminal.say('There are more: --limit or --all shows them.')
}

/** One that cannot be done is no reason to leave the others out; it is told in the end. */
async function forEach(
  context: CliContext,
  ids: readonly string[],
  flags: CommonFlags,
  act: (id: string) => Promise<Task>,
  told: (task: Task) => string,
): Promise<void> {
  const tasks: Task[] = []
  const faults: string[] = []
  for (const id of ids) {
    try {
      const task = await act(id)
      tasks.push(task)
      if (flags.json !== true) await context.terminal.print(`${shortId(task.id)}  ${told(task)}`)
    } catch (error) {
      if (!(error instanceof ServerProblem) || error.status >= 500) throw error
      faults.push(failureOf(error).message)
    }
  }
  if (faults.length > 0) throw new UsageError(faults.join('\n'), { facts: { tasks } })
  if (flags.json === true) await context.terminal.printJson({ tasks })
}
