import type { Command } from 'commander'
import type { Schedule } from '../model/schedule/schedule.ts'
import { UsageError } from './command-failure.ts'
import type { CliContext, CommonFlags } from './context.ts'
import { wholePath } from './local-path.ts'
import { runTable } from './run-commands.ts'
import { addSubmissionFlags, submissionOf, type SubmissionFlags } from './submission-flags.ts'
import { table } from './table.ts'
import { wrap } from './terminal-text.ts'

interface AddFlags extends SubmissionFlags, CommonFlags {
  cron: string
  timeZone?: string
  overlap?: string
  missed?: string
  window?: string
  planPath?: string
}

const examples = `Examples:
  nightshift schedule add nightly --cron '30 2 * * 1-5' --time-zone Europe/Berlin --window 6h \\
    --repo https://example.org/team/project.git --plan-path plans/night.md
  nightshift schedule add tidy "Remove dead code" --cron '0 3 * * 6' --repo ../project --command ./agent.sh
`

/** `schedule add|ls|rm|run|pause|resume`, over the API. */
export function addScheduleCommands(program: Command, context: CliContext): void {
  const { terminal } = context
  const schedules = program.command('schedule').description('what a server starts at set times')
  const show = async (schedule: Schedule, flags: CommonFlags) => {
    if (flags.json === true) await terminal.printJson(schedule)
    else await terminal.print(scheduleTable([schedule], terminal.width))
  }

  const add = schedules.command('add').argument('<name>', 'letters, digits, dots, dashes, underscores')
  addSubmissionFlags(add.description('add a schedule: of one task, or of a plan in a repository'))
    .requiredOption('--cron <pattern>', 'five fields: minute hour day month weekday')
    .option('--time-zone <name>', 'whose clock counts, such as Europe/Berlin (default: that of this machine)')
    .option('--plan-path <path>', 'a plan, read each time from the base of the repository')
    .option('--overlap <skip|queue>', 'while the last run is under way (default: skip)')
    .option('--missed <skip|once>', 'when no process was there at the time (default: skip)')
    .option('--window <6h|22:00-06:00>', 'after which nothing new starts')
    .addHelpText('before', examples)
    .action(async (name: string, prompts: string[], flags: AddFlags) => {
      await show(await context.client().addSchedule(bodyOf(name, prompts, flags)), flags)
    })

  schedules
    .command('ls')
    .description('list schedules, with their next five times')
    .action(async (flags: CommonFlags) => {
      const items = await context.client().schedules()
      if (flags.json === true) await terminal.printJson({ items })
      else if (items.length === 0) terminal.say('There are no schedules.')
      else await terminal.print(scheduleTable(items, terminal.width))
    })

  schedules
    .command('rm')
    .argument('<name>')
    .description('remove a schedule; what it started goes on')
    .action(async (name: string, flags: CommonFlags) => {
      await context.client().removeSchedule(name)
      if (flags.json === true) await terminal.printJson({ removed: name })
      else terminal.say(`removed ${name}`)
    })

  schedules
    .command('run')
    .argument('<name>')
    .description('start a schedule now')
    .action(async (name: string, flags: CommonFlags) => {
      const run = await context.client().runSchedule(name)
      if (flags.json === true) await terminal.printJson(run)
      else await terminal.print(runTable([run], terminal))
    })

  for (const verb of ['pause', 'resume'] as const) {
    schedules
      .command(verb)
      .argument('<name>')
      .description(verb === 'pause' ? 'let a schedule start nothing' : 'let a schedule start again')
      .action(async (name: string, flags: CommonFlags) => {
        const client = context.client()
        await show(
          verb === 'pause' ? await client.pauseSchedule(name) : await client.resumeSchedule(name),
          flags,
        )
      })
  }
}

function bodyOf(name: string, prompts: readonly string[], flags: AddFlags): Record<string, unknown> {
  const {
    prompt: _prompt,
    maxCost,
    ...options
  } = submissionOf('', {
    ...flags,
    ...(flags.repo === undefined ? {} : { repo: wholePath(flags.repo) }),
  })
  const timeZone = flags.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  const own = {
    name,
    cron: flags.cron,
    timeZone,
    ...(flags.overlap === undefined ? {} : { overlap: flags.overlap }),
    ...(flags.missed === undefined ? {} : { missed: flags.missed }),
    ...(flags.window === undefined ? {} : { window: flags.window }),
    ...(maxCost === undefined ? {} : { maxCost }),
  }
  if (flags.planPath !== undefined) {
    if (prompts.length > 0)
      throw new UsageError('--plan-path: goes without a prompt: the tasks are those of the plan')
    return { ...own, ...options, planPath: flags.planPath }
  }
  const [prompt, ...others] = prompts
  if (prompt === undefined) throw new UsageError('PROMPT: is needed, or --plan-path')
  if (others.length > 0) throw new UsageError('PROMPT: a schedule has one; write a plan for several tasks')
  return { ...own, task: { prompt, ...options } }
}

function scheduleTable(schedules: readonly Schedule[], width: number): string {
  const columns = [
    { title: 'SCHEDULE' },
    { title: 'CRON' },
    { title: 'ZONE', shrinkTo: 8 },
    { title: 'LAST', shrinkTo: 10 },
    { title: 'NEXT', shrinkTo: 16 },
  ]
  const rows = schedules.map((schedule) => [
    schedule.name,
    schedule.cron,
    schedule.timeZone,
    schedule.last === null
      ? '-'
      : `${schedule.last.state}${schedule.last.reason === null ? '' : `: ${schedule.last.reason}`}`,
    schedule.paused ? 'paused' : (timesOf(schedule)[0] ?? 'never'),
  ])
  const more = schedules
    .filter(({ next }) => next.length > 1)
    .map((schedule) => wrap(`${schedule.name} next: ${timesOf(schedule).join(', ')}`, width, '  '))
  return [table(columns, rows, width).trimEnd(), ...more.map((text) => text.trimStart()), ''].join('\n')
}

/** By the clock of its zone, as the pattern is meant. */
function timesOf({ next, timeZone }: Schedule): string[] {
  return next.map((time) =>
    new Date(time)
      .toLocaleString('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' })
      .replace(' ', 'T'),
  )
}
