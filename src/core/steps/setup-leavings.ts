import type { Sandbox } from '../../ports/runtime.ts'
import { taskEnvironment, type Attempt } from '../attempt.ts'

const markTimeoutMs = 5 * 60_000

/**
 * Runs in the agent's sandbox between set-up and agent. What set-up made and git would take in is left out from now on,
 * by the clone's own exclude file; names that git has to quote are not. Prints the tree that set-up left of tracked files
 * where it changed any.
 */
const markScript = String.raw`
set -eu
git() { command git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.quotePath=false "$@"; }
mkdir -p .git/info
git ls-files --others --exclude-standard --directory |
  sed -e '/^"/d' -e 's/[][*?\\ ]/\\&/g' -e 's,^,/,' >> .git/info/exclude
git diff --quiet HEAD && exit 0
cp .git/index .git/index.setup
GIT_INDEX_FILE=.git/index.setup git add --update
GIT_INDEX_FILE=.git/index.setup git write-tree
rm -f .git/index.setup
`

/**
 * Tells set-up's leavings from the agent's work: a task whose agent did nothing must not end with a branch. Answers the
 * tree of tracked files as set-up left them; '': as they were, or it cannot be told.
 */
export async function markSetup(attempt: Attempt, sandbox: Sandbox): Promise<string> {
  const { signal, journal } = attempt
  const end = await sandbox.exec({
    argv: ['/bin/sh', '-c', markScript],
    env: taskEnvironment(attempt),
    network: { kind: 'none' },
    signal,
    timeoutMs: markTimeoutMs,
  })
  if (end.kind === 'aborted') throw signal.reason
  const tree = end.stdoutTail.trim()
  if (end.exitCode === 0 && /^(?:[0-9a-f]{40,64})?$/.test(tree)) return tree
  journal.note('setup', `what setup left could not be told apart: ${end.stderrTail.trim().slice(-300)}`)
  return ''
}
