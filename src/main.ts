import { runCli } from './cli/run-cli.ts'
import { ConfigurationError, type Settings } from './config/settings.ts'
import { createMask } from './core/mask.ts'
import type { BackupSummary } from './core/system.ts'
import { openHandTools } from './main/hand-tools.ts'
import { version } from './main/machine.ts'
import { open } from './main/open.ts'
import { subscribeToSignals } from './main/signals.ts'
import { BackupUnusable } from './postgres/backup/format.ts'
import { restoreBackup } from './postgres/backup/restore-home.ts'
import { createStreamLog } from './process/stream-log.ts'

/** The front door: what `bin/nightshift.js` calls. Ends the process with the command's exit code. */
export async function start(): Promise<void> {
  const exitCode = await runCli({
    argv: process.argv.slice(2),
    environment: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    open,
    restore,
    handTools: openHandTools,
    signals: { subscribe: subscribeToSignals },
    version: await version(),
  })
  process.exit(exitCode)
}

/** Makes the database of an empty home from a backup. */
async function restore(settings: Settings, path: string): Promise<BackupSummary> {
  const { home, databaseUrl } = settings
  const log = createStreamLog(process.stderr, 'warn', createMask(settings.secrets))
  try {
    const { head, rows } = await restoreBackup({ home, databaseUrl, path, log })
    return { createdAt: head.createdAt, rows }
  } catch (error) {
    if (error instanceof BackupUnusable) throw new ConfigurationError(error.message)
    throw error
  }
}
