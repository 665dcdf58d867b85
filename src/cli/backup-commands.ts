import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Command } from 'commander'
import type { BackupSummary } from '../core/system.ts'
import { UsageError } from './command-failure.ts'
import type { CliContext, CommonFlags } from './context.ts'

/** `backup` and `restore`: the database as one file. */
export function addBackupCommands(program: Command, context: CliContext): void {
  const { terminal } = context

  program
    .command('backup')
    .argument('<file>', 'written whole or not at all; an older one of that name is replaced')
    .description('write the database into a file, also while tasks run')
    .action(async (file: string, flags: CommonFlags) => {
      const path = resolve(file)
      await refusePlace(path)
      const system = await context.open(context.settings())
      try {
        await tell(path, await system.backup(path), flags, 'written')
      } finally {
        await system.close()
      }
    })

  program
    .command('restore')
    .argument('<file>', 'what nightshift backup wrote')
    .description('make the database of a NIGHTSHIFT_HOME that is empty from a backup')
    .action(async (file: string, flags: CommonFlags) => {
      const path = resolve(file)
      await tell(path, await context.restore(context.settings(), path), flags, 'restored')
    })

  async function tell(path: string, summary: BackupSummary, flags: CommonFlags, verb: string): Promise<void> {
    if (flags.json === true) {
      await terminal.printJson({ file: path, ...summary })
      return
    }
    const { tasks = 0, events = 0 } = summary.rows
    terminal.say(`${path} is ${verb}: ${tasks} tasks, ${events} events, as of ${summary.createdAt}.`)
    if (verb === 'restored')
      terminal.say('Tasks that were running then are tried again. Start: nightshift serve')
  }
}

/** Before a database is opened: throws {@link UsageError} where no file can come to be. */
async function refusePlace(path: string): Promise<void> {
  const folder = dirname(path)
  if (!(await isFolder(folder))) throw new UsageError(`FILE: there is no folder ${folder}; make it first`)
  if (await isFolder(path)) throw new UsageError(`FILE: ${path} is a folder; name a file in it`)
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() === true
}
