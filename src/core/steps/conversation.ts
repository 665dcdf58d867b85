import { TooLarge, type Sandbox } from '../../ports/runtime.ts'

/** What an agent needs to take up its conversation elsewhere. */
export interface Conversation {
  /** As its command line names it. */
  readonly id: string
  /** A compressed archive of files below HOME. It comes out of a sandbox, and is opened in none but a sandbox. */
  readonly archive: Buffer
}

/** Larger ones are not kept: the agent then begins a new conversation. */
const maxArchiveBytes = 16 * 1024 * 1024
const archiveName = 'conversation.tar.gz'
const timeoutMs = 60_000

/** `null`: there is nothing, or it is too large. */
export async function saveConversation(
  sandbox: Sandbox,
  id: string,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<Conversation | null> {
  if (paths.length === 0) return null
  const script =
    'cd "$HOME" || exit 1; out=$1; shift; for path; do shift; [ ! -e "$path" ] || set -- "$@" "$path"; done; ' +
    '[ "$#" != 0 ] && exec tar -czf "$out" -- "$@"'
  const end = await sandbox.exec({
    argv: ['/bin/sh', '-c', script, 'sh', `${sandbox.outPath}/${archiveName}`, ...paths],
    env: {},
    network: { kind: 'none' },
    signal,
    timeoutMs,
  })
  if (end.kind === 'aborted') throw signal.reason
  if (end.exitCode !== 0) return null
  try {
    const archive = await sandbox.take(archiveName, maxArchiveBytes)
    return archive === null ? null : { id, archive }
  } catch (error) {
    if (error instanceof TooLarge) return null
    throw error
  }
}

/** `false`: it could not be unpacked. */
export async function restoreConversation(
  sandbox: Sandbox,
  { archive }: Conversation,
  signal: AbortSignal,
): Promise<boolean> {
  const end = await sandbox.exec({
    argv: ['/bin/sh', '-c', 'cd "$HOME" && exec tar -xzf -'],
    env: {},
    stdin: archive,
    network: { kind: 'none' },
    signal,
    timeoutMs,
  })
  if (end.kind === 'aborted') throw signal.reason
  return end.exitCode === 0
}
