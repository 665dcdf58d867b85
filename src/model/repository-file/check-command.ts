import { matcherOf } from '../policy/glob.ts'
import type { Check } from './check.ts'
import { filesPlaceholder } from './files-placeholder.ts'
import { shellQuote } from './shell-quote.ts'

/**
 * Bytes of one command at most: Linux takes 128 KiB for a single argument, which is what `sh -c` gets. Above that the
 * files are shared out over several commands.
 */
export const maxCommandBytes = 100_000

export type CheckCommand =
  | { readonly skipped: true }
  /** All commands have to be run, one after another; the check has failed when one of them fails. */
  | { readonly skipped: false; readonly commands: readonly string[]; readonly files: readonly string[] }

/**
 * What a check has to run for these changed files (relative to the root, without those that were deleted). Skipped
 * where it asks for files and none fits.
 */
export function checkCommand(check: Check, changedFiles: readonly string[]): CheckCommand {
  const takesFiles = check.run.includes(filesPlaceholder)
  if (check.files === null && !takesFiles) return { skipped: false, commands: [check.run], files: [] }
  const matches = check.files === null ? () => true : matcherOf(check.files)
  const files = [...new Set(changedFiles)].filter((file) => matches(file))
  if (files.length === 0) return { skipped: true }
  if (!takesFiles) return { skipped: false, commands: [check.run], files }
  const pieces = check.run.split(filesPlaceholder)
  const commands = batches(files.map(shellQuote), pieces).map((names) => pieces.join(names.join(' ')))
  return { skipped: false, commands, files }
}

function batches(names: readonly string[], pieces: readonly string[]): string[][] {
  const room = maxCommandBytes - Buffer.byteLength(pieces.join(''))
  const places = pieces.length - 1
  const all: string[][] = []
  let batch: string[] = []
  let used = 0
  for (const name of names) {
    const bytes = (Buffer.byteLength(name) + 1) * places
    if (batch.length > 0 && used + bytes > room) {
      all.push(batch)
      batch = []
      used = 0
    }
    batch.push(name)
    used += bytes
  }
  return [...all, batch]
}
