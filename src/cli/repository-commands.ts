import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { repositoryFileName } from '../model/policy/protected/default-globs.ts'
import { repositoryFileJsonSchema } from '../model/repository-file/json-schema.ts'
import { suggestFile } from '../model/repository-file/suggest/suggest.ts'
import { UsageError } from './command-failure.ts'
import type { CliContext, CommonFlags } from './context.ts'

interface InitFlags extends CommonFlags {
  force?: boolean
  print?: boolean
}

const maxReadBytes = 5_000_000

/** `init` and `schema`: the repository's own file, written and described. */
export function addRepositoryCommands(program: Command, context: CliContext): void {
  const { terminal } = context

  program
    .command('init')
    .argument('[folder]', 'the top of a repository', '.')
    .option('--force', `write over a ${repositoryFileName} that is there`)
    .option('--print', 'print it, and write nothing')
    .description(`write a commented ${repositoryFileName} that fits the repository`)
    .action(async (folder: string, flags: InitFlags) => {
      const root = resolve(folder)
      if (!isFolder(root)) throw new UsageError(`FOLDER: ${root} is no folder`)
      if (flags.print !== true) requireRepository(root)
      const path = join(root, repositoryFileName)
      const { kinds, text } = suggestFile({
        has: (name) => existsSync(join(root, name)),
        read: (name) => readText(join(root, name)),
      })
      if (flags.print !== true) write(path, text, flags.force === true)
      if (flags.json === true) await terminal.printJson({ path, kinds, written: flags.print !== true, text })
      else if (flags.print === true) await terminal.write(text)
      else {
        await terminal.print(path)
        terminal.say(
          kinds.length === 0
            ? 'No tool that is known was found: fill in setup and checks.'
            : `Written for ${kinds.join(', ')}. Look it through, try it with nightshift check, and commit it.`,
        )
      }
    })

  program
    .command('schema')
    .description(`print the JSON Schema of ${repositoryFileName}, for editors`)
    .action(async (flags: CommonFlags) => {
      const schema = repositoryFileJsonSchema()
      if (flags.json === true) await terminal.printJson(schema)
      else await terminal.print(JSON.stringify(schema, null, 2))
    })
}

/** The file is read at the top of a repository alone. */
function requireRepository(root: string): void {
  if (existsSync(join(root, '.git'))) return
  const above = foldersAbove(root).find((folder) => existsSync(join(folder, '.git')))
  const what =
    above === undefined
      ? 'is no git repository: run git init there first, or name the repository'
      : `is not the top of its repository, where ${repositoryFileName} is read: nightshift init ${above}`
  throw new UsageError(`FOLDER: ${root} ${what}; --print shows the file without writing it`)
}

function foldersAbove(folder: string): string[] {
  const above = dirname(folder)
  return above === folder ? [] : [above, ...foldersAbove(above)]
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

function readText(path: string): string | null {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat?.isFile() !== true || stat.size > maxReadBytes) return null
  return readFileSync(path, 'utf8')
}

function write(path: string, text: string, force: boolean): void {
  try {
    writeFileSync(path, text, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    if (code === 'EEXIST')
      throw new UsageError(`${path} is there already: --force writes over it, --print shows a new one`)
    throw new UsageError(`${path} cannot be written: ${code}`)
  }
}
