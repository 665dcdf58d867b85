import type { Command } from 'commander'
import { createAccess, mayBind } from '../api/access.ts'
import { createApi } from '../api/app.ts'
import { listen, type Listening } from '../api/listen.ts'
import type { System } from '../core/system.ts'
import { exitCodes, UsageError } from './command-failure.ts'
import { wholeNumber, type CliContext, type CommonFlags } from './context.ts'
import { aborted, graceMs } from './grace.ts'
import { runtimeClause } from './missing-parts.ts'

interface ServeFlags extends CommonFlags {
  port: string
  host: string
  slots?: string
  grace: string
}

/** Open answers get this long once all tasks have ended or were handed back. */
const closeMs = 2000

/** `serve`: API and scheduler in one process, until it is told to stop. */
export function addServeCommand(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  program
    .command('serve')
    .description('API and scheduler in one process')
    .option('--port <number>', 'port to listen on; 0: any that is free', '8080')
    .option('--host <name|address>', 'address to listen on; off loopback only with a token', '127.0.0.1')
    .option('--slots <number>', 'tasks at the same time, 1 to 256 (default: NIGHTSHIFT_SLOTS, or 4)')
    .option('--grace <duration>', 'how long tasks may go on after SIGTERM before they are handed back', '30s')
    .action(async (flags: ServeFlags) => {
      const grace = graceMs(flags.grace)
      const port = wholeNumber('--port', flags.port, 0, 65_535)
      const settings = context.settings()
      const slots = flags.slots === undefined ? settings.slots : wholeNumber('--slots', flags.slots, 1, 256)
      const system = await context.open(settings)
      try {
        await serve(context, system, { host: flags.host, port, slots, grace, json: flags.json === true })
      } finally {
        await system.close()
      }
      setExitCode(exitCodes.good)
    })
}

async function serve(
  context: CliContext,
  system: System,
  options: { host: string; port: number; slots: number; grace: number; json: boolean },
): Promise<void> {
  const { terminal, interrupted } = context
  const { host } = options
  const guard = { host, tokens: system.tokens, environmentToken: system.settings.token }
  if (!(await mayBind(guard))) {
    throw new UsageError(
      `--host: ${host} can be reached from other machines, and there is no token yet: run nightshift token create NAME`,
    )
  }
  let listening: Listening | null = null
  const api = createApi({
    system,
    access: createAccess({
      ...guard,
      sessions: system.sessions,
      port: () => listening?.port ?? options.port,
    }),
    draining: () => (interrupted.aborted ? 'this process is stopping' : null),
  })
  try {
    listening = await listen({
      app: api.app,
      host,
      port: options.port,
      onError: (error) => system.log.error('the listening socket failed', { error: String(error) }),
    })
    const scheduler = system.startScheduler({ pool: null, slots: options.slots })
    terminal.say(
      `nightshift ${context.version}, ${options.slots} slots; ${runtimeClause(await system.doctor((area) => area.startsWith('runtime ')))}`,
    )
    terminal.say(`listening on ${listening.url}  (API: ${listening.url}/docs)`)
    if (options.json) await terminal.printJson({ url: listening.url })
    await aborted(interrupted)
    terminal.say(
      `stopping: ${scheduler.running} tasks have up to ${options.grace / 1000} s to end; again to stop at once`,
    )
    listening.stop()
    await scheduler.drain(options.grace)
  } finally {
    await api.close()
    await listening?.close(closeMs)
  }
}
