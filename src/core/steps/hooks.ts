import { hookFiles } from '../../model/policy/hooks/hook-files.ts'
import { effectivePolicy } from '../../model/repository-file/effective-policy.ts'
import { TooLarge, type Sandbox } from '../../ports/runtime.ts'
import type { Attempt } from '../attempt.ts'
import type { RepositoryRules } from './repository-file.ts'

const installTimeoutMs = 60_000
/** Lies in the out folder while the last commit is one that the hook refused. */
const refusedName = 'refused'
const maxRefusedBytes = 100_000

/**
 * Puts hooks into the agent's sandbox, beside the clone, that tell of a broken rule while it works: for git, by its
 * settings in HOME, and for Claude Code, by its own. They are a help and no fence, so one that cannot be put there is
 * only noted.
 */
export async function installHooks(
  attempt: Attempt,
  sandbox: Sandbox,
  rules: RepositoryRules,
  baseSha: string,
): Promise<void> {
  const { parts, journal, signal } = attempt
  if (!rules.written && parts.operatorPolicy === null) return
  const policy = effectivePolicy(rules.written ? rules.file : null, parts.operatorPolicy)
  const folder = `${sandbox.outPath}/hooks`
  const files = hookFiles(policy, {
    folder,
    clone: sandbox.clonePath,
    baseSha,
    refused: `${sandbox.outPath}/${refusedName}`,
  })
  const programs = Object.entries(files.programs).map(([name, text]) => here(`${folder}/${name}`, text))
  const script = [
    'set -e',
    `mkdir -p '${folder}' "$HOME/.claude"`,
    ...programs,
    `chmod 755 '${folder}'/*`,
    here('$HOME/.claude/settings.json', files.claudeSettings),
    `git config --global core.hooksPath '${folder}'`,
  ].join('\n')
  const end = await sandbox.exec({
    argv: ['/bin/sh'],
    env: {},
    stdin: Buffer.from(`${script}\n`),
    network: { kind: 'none' },
    signal,
    timeoutMs: installTimeoutMs,
  })
  if (end.kind === 'aborted') throw signal.reason
  if (end.exitCode !== 0)
    journal.note('setup', `the hooks could not be put into the sandbox: ${end.stderrTail.trim()}`)
}

/**
 * Whether the agent's last commit was refused by our hook. The agent could say so itself: it shall bring its work no
 * further than before the gate.
 */
export async function wasRefusedByHook(sandbox: Sandbox): Promise<boolean> {
  try {
    return (await sandbox.take(refusedName, maxRefusedBytes)) !== null
  } catch (error) {
    if (error instanceof TooLarge) return false
    throw error
  }
}

const mark = 'END-OF-NIGHTSHIFT-FILE'

/** Writes a text to a path as a here-document, in which the shell replaces nothing. */
function here(path: string, text: string): string {
  return `cat > "${path}" <<'${mark}'\n${text.replaceAll(mark, '')}\n${mark}`
}
