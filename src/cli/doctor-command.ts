import type { Command } from 'commander'
import type { DoctorEntry } from '../core/system.ts'
import { exitCodes, failureOf } from './command-failure.ts'
import type { CliContext, CommonFlags } from './context.ts'
import { wrap } from './terminal-text.ts'
import type { Terminal } from './terminal.ts'

/** `doctor`: what is there, what is missing, and what to type. */
export function addDoctorCommand(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  program
    .command('doctor')
    .description('check database, git, runtime and agents, and say what to do')
    .action(async (flags: CommonFlags) => {
      const entries = await examine(context)
      const ok = entries.every((entry) => entry.ok || entry.optional === true)
      if (flags.json === true) await context.terminal.printJson({ ok, areas: entries })
      else await show(entries, context.terminal)
      setExitCode(ok ? exitCodes.good : exitCodes.usage)
    })
}

async function examine(context: CliContext): Promise<readonly DoctorEntry[]> {
  const settings = context.settings()
  try {
    const system = await context.open(settings)
    try {
      return await system.doctor()
    } finally {
      await system.close()
    }
  } catch (error) {
    const todo = settings.databaseUrl === null ? null : 'check DATABASE_URL, and that this PostgreSQL runs'
    return [{ area: 'nightshift', ok: false, detail: failureOf(error).message, todo }]
  }
}

async function show(entries: readonly DoctorEntry[], terminal: Terminal): Promise<void> {
  for (const { area, ok, detail, todo, optional } of entries) {
    const missing = optional === true ? terminal.paint('yellow', 'absent ') : terminal.paint('red', 'missing')
    const mark = ok ? terminal.paint('green', 'ok     ') : missing
    await terminal.print(`${mark}  ${wrap(`${area}: ${detail}`, terminal.width, '         ').trimStart()}`)
    if (todo !== null) await terminal.print(wrap(`→ ${todo}`, terminal.width, '         '))
  }
}
