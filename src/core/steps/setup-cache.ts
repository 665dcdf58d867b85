import { createHash } from 'node:crypto'
import { matcherOf } from '../../model/policy/glob.ts'
import type { ExecEnd, Sandbox } from '../../ports/runtime.ts'
import { taskEnvironment, type Attempt } from '../attempt.ts'
import type { SetupPlace } from './setup.ts'

const timeoutMs = 10 * 60_000

/** The tools of the sandbox, and what the clone has of every file. */
const factsScript = String.raw`
cat /etc/os-release 2>/dev/null; uname -m
for tool in node npm pnpm yarn bun python3 pip uv go cargo rustc java mvn gradle gcc ruby; do
  found=$(command -v "$tool") && stat -L -c '%n %s %Y' "$found"
done
git -c core.quotePath=false ls-files --stage
`

/** All that set-up made: in the clone what git does not track, and HOME. Set-ups that change tracked files are not kept. */
const packScript = String.raw`
set -eu
git() { command git -c core.hooksPath=/dev/null -c core.fsmonitor=false "$@"; }
git diff --quiet HEAD || { echo 'it changes files that git tracks'; exit 3; }
git ls-files --others --directory -z > "$NS_OUT/setup-names"
tar --null --files-from="$NS_OUT/setup-names" -cf "$NS_OUT/setup-clone"
tar -C "$HOME" --exclude=./.gitconfig -cf "$NS_OUT/setup-home" .
rm -f "$NS_OUT/setup-names"
`

// A file that the work brings itself stays as the work has it.
const unpackScript = String.raw`
set -eu
tar -C "$HOME" -pxf "$NS_OUT/setup-home"
tar --skip-old-files -pxf "$NS_OUT/setup-clone"
rm -f "$NS_OUT/setup-clone" "$NS_OUT/setup-home"
`

const parts = ['setup-home', 'setup-clone'] as const

/**
 * What the result of a set-up depends on, as one key: its command and network, the files that match its inputs, the tools,
 * and the base, so that no other branch of the repository can put anything under it. `null`: it could not be told.
 */
export async function setupKey(
  attempt: Attempt,
  sandbox: Sandbox,
  inputs: readonly string[],
  { rules, source }: SetupPlace,
): Promise<string | null> {
  const isInput = matcherOf(inputs)
  const facts: string[] = []
  const end = await inside(attempt, sandbox, factsScript, (line) => {
    const [, path] = /^\d{6} [0-9a-f]+ \d\t(.*)$/s.exec(line) ?? []
    if (path === undefined || isInput(path)) facts.push(line)
  })
  if (end.exitCode !== 0) return null
  const { image, setup } = rules.file
  const { hosts } = rules
  const all = [source.repo, source.base, image, setup?.run, hosts.setup, inputs, facts]
  return createHash('sha256').update(JSON.stringify(all)).digest('hex')
}

/** Lays out what an earlier set-up of the same key made; `false`: set-up has to run. */
export async function bringSetup(attempt: Attempt, sandbox: Sandbox, key: string): Promise<boolean> {
  for (const part of parts) {
    if (!(await sandbox.bring(`${key}-${part}`, part))) return false
  }
  const end = await inside(attempt, sandbox, unpackScript)
  const { journal } = attempt
  if (end.exitCode === 0) {
    journal.note('setup', 'its inputs are those of an earlier set-up: what that one made is taken', { key })
    return true
  }
  journal.note('setup', `what an earlier set-up made could not be laid out, and is made again: ${said(end)}`)
  return false
}

/** Keeps what set-up made of the base, for later tasks of the same key. */
export async function keepSetup(attempt: Attempt, sandbox: Sandbox, key: string): Promise<void> {
  const { journal } = attempt
  const end = await inside(attempt, sandbox, packScript)
  if (end.exitCode !== 0) {
    journal.note('setup', `what set-up made is not kept for later tasks: ${said(end)}`)
    return
  }
  try {
    for (const part of parts) await sandbox.keep(part, `${key}-${part}`)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    journal.note('setup', `what set-up made could not be kept for later tasks: ${why}`)
  }
  await inside(attempt, sandbox, 'rm -f "$NS_OUT/setup-clone" "$NS_OUT/setup-home"')
}

async function inside(
  attempt: Attempt,
  sandbox: Sandbox,
  script: string,
  onLine: (text: string) => void = () => {},
): Promise<ExecEnd> {
  const { signal } = attempt
  const end = await sandbox.exec({
    argv: ['/bin/sh', '-c', script],
    env: { ...taskEnvironment(attempt), NS_OUT: sandbox.outPath },
    network: { kind: 'none' },
    signal,
    timeoutMs,
    onLine: ({ stream, text }) => {
      if (stream === 'stdout') onLine(text)
    },
  })
  if (end.kind === 'aborted') throw signal.reason
  return end
}

function said(end: ExecEnd): string {
  return `${end.stdoutTail}${end.stderrTail}`.trim().split('\n').slice(-2).join(' | ').slice(-300)
}
