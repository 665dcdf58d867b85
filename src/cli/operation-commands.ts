import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import type { Limits, QueueStats } from '../ports/queue-stats.ts'
import { wholeNumber, type CliContext, type CommonFlags } from './context.ts'

interface LimitFlags extends CommonFlags {
  global?: string
  perRepository?: string
  perAgent?: string
}

/** `pause`, `resume`, `drain` and `limits`: the queue as a whole, over the API. */
export function addOperationCommands(program: Command, context: CliContext): void {
  const { terminal } = context
  const show = async (stats: QueueStats, flags: CommonFlags) => {
    if (flags.json === true) await terminal.printJson(stats)
    else await terminal.print(statsLine(stats))
  }

  program
    .command('pause')
    .description('start no more tasks; what runs goes on')
    .action(async (flags: CommonFlags) => show(await context.client().pause(), flags))

  program
    .command('resume')
    .description('start tasks again')
    .action(async (flags: CommonFlags) => show(await context.client().resume(), flags))

  program
    .command('drain')
    .description('pause, and wait until nothing runs')
    .action(async (flags: CommonFlags) => {
      const client = context.client()
      let stats = await client.pause()
      let told = -1
      while (stats.states.running > 0) {
        if (stats.states.running !== told) terminal.say(`waiting for ${stats.states.running} running`)
        told = stats.states.running
        await sleep(500, undefined, { signal: context.interrupted })
        stats = await client.stats()
      }
      await show(stats, flags)
    })

  program
    .command('limits')
    .description('show or set how many tasks may run at the same time')
    .option('--global <number|none>', 'over all processes')
    .option('--per-repository <number|none>', 'of one repository')
    .option('--per-agent <number|none>', 'of one agent')
    .action(async (flags: LimitFlags) => {
      const client = context.client()
      const before = (await client.stats()).limits
      const asked: Limits = {
        global: bound('--global', flags.global, before.global),
        perRepository: bound('--per-repository', flags.perRepository, before.perRepository),
        perAgent: bound('--per-agent', flags.perAgent, before.perAgent),
      }
      const typed = flags.global ?? flags.perRepository ?? flags.perAgent
      const limits = typed === undefined ? before : await client.setLimits(asked)
      if (flags.json === true) await terminal.printJson(limits)
      else await terminal.print(limitsLine(limits))
    })
}

function bound(flag: string, text: string | undefined, before: number | null): number | null {
  if (text === undefined) return before
  return text === 'none' ? null : wholeNumber(flag, text, 1, 100_000)
}

function statsLine(stats: QueueStats): string {
  const { queued, held, running, done } = stats.states
  const state = stats.paused ? 'paused' : 'not paused'
  const counts = `${running} running, ${queued} queued, ${held} held, ${done} done; ${stats.workers.length} workers`
  return [`${state}: ${counts}`, ...stats.holds.map(({ until, reason }) => `until ${until}: ${reason}`)].join(
    '\n',
  )
}

function limitsLine(limits: Limits): string {
  const { global, perRepository, perAgent } = limits
  return `global ${global ?? 'none'}, per repository ${perRepository ?? 'none'}, per agent ${perAgent ?? 'none'}`
}
