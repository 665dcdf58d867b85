import type { Command } from 'commander'
import { isGood, type Outcome } from '../model/outcome.ts'
import type { Run, RunBatches } from '../model/run.ts'
import { shortId, withShortIds } from '../model/task-id.ts'
import { wholeNumber, type CliContext, type CommonFlags } from './context.ts'
import { elapsed } from '../model/elapsed.ts'
import { paintedState } from './outcome-text.ts'
import { table } from './table.ts'
import { oneLine } from './terminal-text.ts'
import type { Terminal } from './terminal.ts'

/** `runs ls|show|cancel|retry`, over the API. */
export function addRunCommands(program: Command, context: CliContext): void {
  const { terminal } = context
  const runs = program.command('runs').description('runs of plans on a running server')

  runs
    .command('ls')
    .description('list runs, newest first')
    .option('--schedule <name>', 'only those that this schedule started')
    .option('--limit <number>', 'how many, 1 to 200', '20')
    .action(async (flags: CommonFlags & { schedule?: string; limit: string }) => {
      const limit = String(wholeNumber('--limit', flags.limit, 1, 200))
      const page = await context
        .client()
        .runs({ limit, ...(flags.schedule === undefined ? {} : { schedule: flags.schedule }) })
      if (flags.json === true) await terminal.printJson(page)
      else if (page.items.length === 0) terminal.say('There are no such runs.')
      else await terminal.print(runTable(page.items, terminal))
    })

  runs
    .command('show')
    .argument('<id>', 'the id of a run, or its end')
    .description('show the tasks of a run, batch by batch')
    .action(async (id: string, flags: CommonFlags) => {
      const client = context.client()
      const run = await client.run(id)
      const batches = await client.batches(run.id)
      if (flags.json === true) await terminal.printJson({ ...run, batches: batches.batches })
      else await terminal.print(runText(run, batches, terminal))
    })

  for (const [verb, description] of [
    ['cancel', 'end what waits of a run, and ask what runs to end'],
    ['retry', 'do what failed of a run again'],
  ] as const) {
    runs
      .command(verb)
      .argument('<id>', 'the id of a run, or its end')
      .description(description)
      .action(async (id: string, flags: CommonFlags) => {
        const client = context.client()
        const run = verb === 'cancel' ? await client.cancelRun(id) : await client.retryRun(id)
        if (flags.json === true) await terminal.printJson(run)
        else await terminal.print(runTable([run], terminal))
      })
  }
}

/** Runs as a table. */
export function runTable(runs: readonly Run[], terminal: Terminal): string {
  const now = Date.now()
  const columns = [
    { title: 'RUN' },
    { title: 'STATE' },
    { title: 'AGE', align: 'right' as const },
    { title: 'DONE', align: 'right' as const },
    { title: 'OUTCOMES', shrinkTo: 12 },
    { title: 'TITLE', shrinkTo: 10 },
  ]
  const rows = runs.map((run) => [
    shortId(run.id),
    stateOf(run),
    elapsed(now - Date.parse(run.createdAt)),
    `${run.states.done}/${run.tasks}`,
    outcomesOf(run),
    run.title === '' ? (run.planPath ?? run.schedule ?? '') : run.title,
  ])
  return table(columns, rows, terminal.width)
}

function stateOf({ state, ok }: Pick<Run, 'state' | 'ok'>): string {
  return ok === null ? state : ok ? 'good' : 'not good'
}

function outcomesOf(run: Run): string {
  return Object.entries(run.outcomes)
    .toSorted(([a], [b]) => Number(isGood(a as Outcome)) - Number(isGood(b as Outcome)))
    .map(([outcome, count]) => `${count} ${outcome}`)
    .join(', ')
}

function runText(run: Run, { batches }: RunBatches, terminal: Terminal): string {
  const lines = [runTable([run], terminal)]
  for (const batch of batches) {
    const title = batch.title === '' ? '' : `: ${batch.title}`
    lines.push('', oneLine(`Batch ${batch.id}${title}  (${stateOf(batch)})`, terminal.width))
    for (const task of batch.tasks) {
      const head = `  ${shortId(task.id)}  ${paintedState(task, terminal)}  `
      const text = `${task.planTask ?? ''} ${task.prompt}${task.reason === null ? '' : `: ${withShortIds(task.reason)}`}`
      lines.push(`${head}${oneLine(text, Math.max(20, terminal.width - 30))}`)
    }
  }
  return lines.join('\n')
}
