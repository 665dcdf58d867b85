import { Command, CommanderError } from 'commander'
import { createClient } from '../client/client.ts'
import { readSettings } from '../config.ts'
import type { Settings } from '../config/settings.ts'
import type { HandTools } from '../core/hand-tools.ts'
import type { BackupSummary, System } from '../core/system.ts'
import { addBackupCommands } from './backup-commands.ts'
import { addCheckCommand } from './check-command.ts'
import { exitCodes, failureOf } from './command-failure.ts'
import type { CliContext } from './context.ts'
import { addDoctorCommand } from './doctor-command.ts'
import { addOperationCommands } from './operation-commands.ts'
import { addBundleCommand, addOutputCommands } from './output-commands.ts'
import { addPlanCommands } from './plan-commands.ts'
import { addRepositoryCommands } from './repository-commands.ts'
import { addRunCommands } from './run-commands.ts'
import { addScheduleCommands } from './schedule-commands.ts'
import { addRunCommand } from './run-command.ts'
import { addServeCommand } from './serve-command.ts'
import { addSubmitCommand } from './submit-command.ts'
import { addTaskCommands } from './task-commands.ts'
import { Terminal, type OutputStream } from './terminal.ts'
import { addTokenCommands } from './token-commands.ts'
import { addWorkerCommand } from './worker-command.ts'

/** Where signals of the operating system come from. */
interface Signals {
  /** Calls back at every SIGINT and SIGTERM until the answered function is called. */
  subscribe(listener: (signal: 'SIGINT' | 'SIGTERM') => void): () => void
}

export interface CliOptions {
  /** Without the names of program and script. */
  readonly argv: readonly string[]
  readonly environment: NodeJS.ProcessEnv
  readonly stdin: NodeJS.ReadableStream
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly open: (settings: Settings) => Promise<System>
  readonly restore: (settings: Settings, path: string) => Promise<BackupSummary>
  readonly handTools: (settings: Settings, environment: NodeJS.ProcessEnv) => Promise<HandTools>
  readonly signals: Signals
  readonly version: string
}

/**
 * Runs one command and answers its exit code; never rejects. After a second signal it answers at once, with work
 * still under way: the caller ends the process.
 */
export async function runCli(options: CliOptions): Promise<number> {
  const terminal = new Terminal(options)
  const interrupted = new AbortController()
  const secondSignal = Promise.withResolvers<number>()
  const unsubscribe = options.signals.subscribe(() => {
    if (interrupted.signal.aborted) secondSignal.resolve(exitCodes.interrupted)
    interrupted.abort()
  })
  let settings: Settings | null = null
  const context: CliContext = {
    terminal,
    stdin: options.stdin,
    version: options.version,
    settings: () => (settings ??= readSettings(options.environment)),
    open: options.open,
    restore: options.restore,
    handTools: (read) => options.handTools(read, options.environment),
    client: () => {
      const { url, token } = context.settings()
      return createClient({ url, token, signal: interrupted.signal })
    },
    interrupted: interrupted.signal,
  }
  try {
    return await Promise.race([runCommand(context, options.argv), secondSignal.promise])
  } finally {
    unsubscribe()
  }
}

async function runCommand(context: CliContext, argv: readonly string[]): Promise<number> {
  const { terminal } = context
  const end = argv.indexOf('--')
  const json = (end < 0 ? argv : argv.slice(0, end)).includes('--json')
  // One text may be written in several parts, and --json prints one value.
  const written: string[] = []
  let exitCode: number = exitCodes.good
  const program = createProgram(context, (code) => (exitCode = code))
  const output = {
    writeOut: (text: string) => void written.push(text),
    writeErr: (text: string) => {
      if (!json) terminal.stderr.write(text)
    },
  }
  for (const command of [program, ...allCommands(program)]) {
    command.exitOverride().configureOutput(output)
  }
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) exitCode = await endOfParsing(error, json, terminal)
    else if (context.interrupted.aborted) exitCode = exitCodes.interrupted
    else if (!terminal.broken.aborted) exitCode = await fail(error, json, terminal)
  }
  const text = written.join('')
  if (text !== '') await (json ? terminal.printJson({ text }) : terminal.write(text))
  return exitCode
}

function allCommands(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...allCommands(child)])
}

/** Commander ends by throwing, also after --help and --version. */
async function endOfParsing(error: CommanderError, json: boolean, terminal: Terminal): Promise<number> {
  if (error.exitCode === 0) return exitCodes.good
  const message =
    error.code === 'commander.help' ? 'a command is needed' : error.message.replace(/^error: /, '')
  if (json) await terminal.printJson({ error: { message, exitCode: exitCodes.usage } })
  return exitCodes.usage
}

async function fail(error: unknown, json: boolean, terminal: Terminal): Promise<number> {
  const failure = failureOf(error)
  const { exitCode, message, facts } = failure
  if (json) await terminal.printJson({ error: { message, exitCode, ...facts } })
  else for (const line of message.split('\n')) terminal.say(`nightshift: ${line}`)
  return exitCode
}

const examples = `Examples:
  nightshift run "Fix the typo in README" --repo . --command ./agent.sh
  nightshift serve
  nightshift submit "Add a test for parse()" --repo https://example.org/team/project.git
  nightshift ls
  nightshift logs -f 4k2m9qxz
  nightshift doctor
`

function createProgram(context: CliContext, setExitCode: (code: number) => void): Command {
  const program = new Command('nightshift')
    .description('Queue coding work, leave, and find branches and pull requests that hold.')
    .version(context.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('before', `${examples}`)
    .addHelpText(
      'after',
      '\nExit codes: 0 good, 1 a task ended otherwise, 2 usage or configuration, 3 the machinery failed, 130 interrupted.',
    )
    .showHelpAfterError('Add --help for flags and examples.')
  for (const add of [
    addRunCommand,
    addServeCommand,
    addWorkerCommand,
    addSubmitCommand,
    addTaskCommands,
    addOutputCommands,
    addBundleCommand,
    addPlanCommands,
    addRunCommands,
    addScheduleCommands,
    addOperationCommands,
    addTokenCommands,
    addRepositoryCommands,
    addCheckCommand,
    addBackupCommands,
    addDoctorCommand,
  ]) {
    add(program, context, setExitCode)
  }
  for (const command of allCommands(program)) {
    if (command.commands.length > 0) continue
    command.option('--json', 'print one JSON value').helpOption('-h, --help', 'print this help')
    command.showHelpAfterError('Add --help for flags and examples.')
  }
  return program
}
