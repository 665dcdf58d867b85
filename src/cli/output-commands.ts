import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { TaskEvent } from '../model/event.ts'
import { shortId } from '../model/task-id.ts'
import { UsageError } from './command-failure.ts'
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

interface BundleFlags extends CommonFlags {
  force?: boolean
}

/** `bundle`: the work of a task that was not pushed, for a clone of one's own. */
export function addBundleCommand(program: Command, context: CliContext): void {
  const { terminal } = context
  program
    .command('bundle')
    .argument('<id>', 'the id of a task, or its end')
    .argument('[file]', 'where to put it; - for stdout (default: ID.bundle)')
    .option('--force', 'write over a file that is there')
    .description('fetch the work of a task that was not pushed, as a git bundle')
    .action(async (id: string, file: string | undefined, flags: BundleFlags) => {
      const client = context.client()
      const { id: taskId } = await client.get(id)
      const bundle = await client.bundle(taskId)
      if (file === '-') {
        if (flags.json === true) throw new UsageError('FILE: - does not go with --json')
        await terminal.write(bundle)
        return
      }
      const path = resolve(file ?? `${shortId(taskId)}.bundle`)
      await write(path, bundle, flags.force === true)
      if (flags.json === true) await terminal.printJson({ path, bytes: bundle.length })
      else {
        await terminal.print(path)
        terminal.say(`In a clone that has the base: git fetch ${path} HEAD:nightshift/${shortId(taskId)}`)
      }
    })
}

async function write(path: string, content: Buffer, force: boolean): Promise<void> {
  try {
    await writeFile(path, content, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    const hint = code === 'EEXIST' ? 'is there already; --force writes over it' : `cannot be written: ${code}`
    throw new UsageError(`FILE: ${path} ${hint}`)
  }
}

function line(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}

function shown(text: string, terminal: Terminal): string {
  return terminal.stdout.isTTY === true ? harmless(text) : text
}
