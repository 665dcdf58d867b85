import type { Command } from 'commander'
import type { TaskEvent } from '../model/event.ts'
import type { CliContext, CommonFlags } from './context.ts'
import { harmless } from './terminal-text.ts'
import type { Terminal } from './terminal.ts'

/** `logs` and `diff`, over the API: as it is into files and pipes, made harmless on a terminal. */
export function addOutputCommands(program: Command, context: CliContext): void {
  const { terminal } = context

  program
    .command('logs')
    .argument('<id>', 'the id of a task, or its end')
    .option('-f, --follow', 'go on until the task is done')
    .description('print what the processes of a task printed')
    .action(async (id: string, flags: CommonFlags & { follow?: boolean }) => {
      const client = context.client()
      const events = flags.follow === true ? client.events(id) : client.eventsSoFar(id)
      if (flags.json === true) {
        const items: TaskEvent[] = []
        for await (const event of events) items.push(event)
        await terminal.printJson({ items })
        return
      }
      for await (const event of events) {
        if (terminal.broken.aborted) return
        if (event.type === 'output') await terminal.write(shown(line(event.text), terminal))
      }
    })

  program
    .command('diff')
    .argument('<id>', 'the id of a task, or its end')
    .description('print the work of a task as a unified diff')
    .action(async (id: string, flags: CommonFlags) => {
      const diff = await context.client().diff(id)
      if (flags.json === true) await terminal.printJson({ diff: diff.toString('utf8') })
      else if (terminal.stdout.isTTY === true) await terminal.write(shown(diff.toString('utf8'), terminal))
      else await terminal.write(diff)
    })
}

function line(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}

function shown(text: string, terminal: Terminal): string {
  return terminal.stdout.isTTY === true ? harmless(text) : text
}
