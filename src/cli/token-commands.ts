import type { Command } from 'commander'
import type { System } from '../core/system.ts'
import { UsageError } from './command-failure.ts'
import type { CliContext, CommonFlags } from './context.ts'
import { table } from './table.ts'

/** `token create`, `token ls`, `token revoke`: on the database itself, since the first token cannot come over the API. */
export function addTokenCommands(program: Command, context: CliContext): void {
  const { terminal } = context
  const token = program.command('token').description('tokens of the API (only hashes of them are kept)')

  token
    .command('create')
    .argument('<name>', 'who or what will use it')
    .description('make a token and print it, this once')
    .option('--read-only', 'it may look at everything and change nothing')
    .action(async (name: string, flags: CommonFlags & { readOnly?: boolean }) => {
      if (name.trim() === '' || name.length > 100) throw new UsageError('NAME: must have 1 to 100 characters')
      if (/\p{Cc}/u.test(name))
        throw new UsageError('NAME: must have no line breaks and other control characters')
      const created = await withSystem(context, (system) =>
        system.tokens.create(name, flags.readOnly === true ? 'reader' : 'operator'),
      )
      if (flags.json === true) {
        await terminal.printJson({ ...created.stored, token: created.token })
        return
      }
      terminal.say(
        `Token ${created.stored.id} for ${name}; it is not shown again. Use it as NIGHTSHIFT_TOKEN.`,
      )
      await terminal.print(created.token)
    })

  token
    .command('ls')
    .description('list the tokens')
    .action(async (flags: CommonFlags) => {
      const items = await withSystem(context, (system) => system.tokens.list())
      if (flags.json === true) {
        await terminal.printJson({ items })
        return
      }
      if (items.length === 0) terminal.say('There are no tokens.')
      else {
        const columns = [
          { title: 'ID' },
          { title: 'NAME', shrinkTo: 10 },
          { title: 'ROLE' },
          { title: 'CREATED' },
          { title: 'LAST USED' },
        ]
        const rows = items.map((item) => [
          item.id,
          item.name,
          item.role,
          item.createdAt,
          item.lastUsedAt ?? 'never',
        ])
        await terminal.print(table(columns, rows, terminal.width))
      }
    })

  token
    .command('revoke')
    .argument('<id>', 'as token ls shows it')
    .description('make a token worthless')
    .action(async (id: string, flags: CommonFlags) => {
      const revoked = await withSystem(context, (system) => system.tokens.revoke(id))
      if (!revoked) throw new UsageError(`there is no token ${id}; see nightshift token ls`)
      if (flags.json === true) await terminal.printJson({ revoked: id })
      else terminal.say(`Token ${id} is revoked.`)
    })
}

async function withSystem<T>(context: CliContext, work: (system: System) => Promise<T>): Promise<T> {
  const system = await context.open(context.settings())
  try {
    return await work(system)
  } finally {
    await system.close()
  }
}
