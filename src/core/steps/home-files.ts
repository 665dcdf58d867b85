import { RuntimeFailure, type Sandbox } from '../../ports/runtime.ts'

const placeTimeoutMs = 60_000

/** Writes files below HOME inside; nobody else reads them. */
export async function placeFiles(
  sandbox: Sandbox,
  files: readonly { readonly path: string; readonly content: string }[],
  signal: AbortSignal,
): Promise<void> {
  for (const { path, content } of files) {
    const end = await sandbox.exec({
      argv: ['/bin/sh', '-c', 'umask 077; mkdir -p "$(dirname "$HOME/$0")" && cat > "$HOME/$0"', path],
      env: {},
      stdin: Buffer.from(content),
      network: { kind: 'none' },
      signal,
      timeoutMs: placeTimeoutMs,
    })
    if (end.kind === 'aborted') throw signal.reason
    if (end.exitCode !== 0) throw new RuntimeFailure(`~/${path} could not be written: ${end.stderrTail}`)
  }
}
