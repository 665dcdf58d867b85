import { defaultGlobs, repositoryFileName } from '../protected/default-globs.ts'
import { fileModes } from '../work.ts'
import type { Policy } from '../schema.ts'
import { globExpression } from './glob-expression.ts'

/** Where the hooks lie in a sandbox, and what they compare with. */
export interface HookPlace {
  /** Absolute path of their folder, outside of the clone. */
  readonly folder: string
  /** Absolute path of the clone. */
  readonly clone: string
  readonly baseSha: string
  /** Absolute path of the file that is there while the last commit was refused. */
  readonly refused: string
}

/** What is put into a sandbox so that an agent hears of a broken rule at once. */
export interface HookFiles {
  /** Programs by their names in the folder; git finds `pre-commit` there. */
  readonly programs: Readonly<Record<string, string>>
  /** Settings of Claude Code, which calls one of the programs before it writes a file. */
  readonly claudeSettings: string
}

/**
 * Hooks for git and for Claude Code that tell the rules which names and numbers alone decide. Written for any POSIX
 * shell with grep and awk. The gate does not trust them: it judges again, and more, where the agent cannot reach.
 */
export function hookFiles(policy: Policy, place: HookPlace): HookFiles {
  const program = `${place.folder}/claude-pre-tool-use`
  const hook = {
    matcher: 'Edit|MultiEdit|Write|NotebookEdit',
    hooks: [{ type: 'command', command: program }],
  }
  return {
    programs: {
      'pre-commit': preCommit(policy, place),
      'claude-pre-tool-use': preToolUse(policy, place),
      ...Object.fromEntries(otherHooks.map((name) => [name, onwards(name)])),
    },
    claudeSettings: JSON.stringify({ hooks: { PreToolUse: [hook] } }),
  }
}

/** Since git looks for hooks in one folder only, those that set-up put into the clone are called from here. */
const otherHooks = [
  'prepare-commit-msg',
  'commit-msg',
  'post-commit',
  'post-checkout',
  'post-merge',
  'pre-push',
]

const intro =
  '#!/bin/sh\n# Written by Nightshift from the rules of this repository. What it lets pass is judged again, elsewhere.\n'

function onwards(name: string): string {
  return `${intro}own="$(git rev-parse --git-dir)/hooks/${name}"\n[ ! -x "$own" ] || exec "$own" "$@"\n`
}

function preCommit(policy: Policy, place: HookPlace): string {
  const diff = `git -c core.quotePath=false diff --cached --no-renames --no-ext-diff`
  return `${intro}${rules(policy)}
bad=0
say() { printf '%s\\n' "$1" >&2; bad=1; }
changed() { ${diff} --name-only "$@" ${place.baseSha} --; }
changed | judge_paths || bad=1
${policy.content.some((rule) => rule.onlyExisting) ? 'changed --diff-filter=A | judge_new || bad=1\n' : ''}${limits(policy, diff, place.baseSha)}
rm -f ${word(place.refused)}
if [ "$bad" = 1 ]; then
  : > ${word(place.refused)}
  echo 'Nothing was committed: undo what is named above (git restore --staged --worktree FILE), then commit again.' >&2
  exit 1
fi
${onwards('pre-commit').slice(intro.length)}`
}

function preToolUse(policy: Policy, { clone }: HookPlace): string {
  return `${intro}${rules(policy)}
path=$(grep -oE '"(file_path|notebook_path)"[[:space:]]*:[[:space:]]*"[^"]*"' | head -n 1 | sed 's/^[^:]*:[[:space:]]*"//; s/"$//')
case "$path" in
  '') exit 0 ;;
  ${word(clone)}/*) path=\${path#${word(`${clone}/`)}} ;;
  /*) exit 0 ;;
esac
printf '%s\\n' "$path" | judge_paths || exit 2
[ -e ${word(clone)}/"$path" ] || printf '%s\\n' "$path" | judge_new || exit 2
exit 0
`
}

/** Functions that read paths, tell what is wrong with them on stderr, and fail where something is. */
function rules(policy: Policy): string {
  const lines = policy.allow.map(
    (globs) => `  tell -vE ${word(globExpression(globs))} 'must not change: only ${plain(globs)} may'`,
  )
  if (policy.deny.length > 0)
    lines.push(`  tell -iE ${word(globExpression(policy.deny))} 'must not change: the policy denies it'`)
  for (const protection of policy.protect) {
    const globs = [...protection.globs, ...(protection.defaults ? defaultGlobs : []), repositoryFileName]
    const except = protection.except.length === 0 ? '' : ` ${word(globExpression(protection.except))}`
    lines.push(
      `  tell -iE ${word(globExpression(globs))} 'defines how the work is checked, so it must not change'${except}`,
    )
  }
  const closed = policy.content.filter((rule) => rule.onlyExisting).flatMap((rule) => rule.files)
  return `tell() {
  found=$(printf '%s\\n' "$paths" | grep . | grep "$1" -e "$2")
  [ -z "$4" ] || found=$(printf '%s\\n' "$found" | grep -vE -e "$4")
  [ -n "$found" ] || return 0
  printf '%s\\n' "$found" | head -n 20 | while IFS= read -r path; do echo "$path $3." >&2; done
  failed=1
}
judge_paths() {
  paths=$(cat)
  failed=0
${lines.join('\n')}
  return "$failed"
}
judge_new() {
  paths=$(cat)
  failed=0
  tell -iE ${word(globExpression(closed))} 'must not be made: no new file is allowed here'
  return "$failed"
}
`
}

function limits(policy: Policy, diff: string, baseSha: string): string {
  const lines: string[] = []
  if (policy.maxFiles !== null) {
    lines.push(
      `count=$(changed | grep -c .)`,
      `[ "$count" -le ${policy.maxFiles} ] || say "$count files changed; at most ${policy.maxFiles} may."`,
    )
  }
  if (policy.maxLines !== null) {
    lines.push(
      `count=$(${diff} --numstat ${baseSha} -- | awk '{ sum += $1 + $2 } END { print sum + 0 }')`,
      `[ "$count" -le ${policy.maxLines} ] || say "$count lines changed; at most ${policy.maxLines} may."`,
    )
  }
  const mode = (condition: string, what: string) =>
    lines.push(
      `found=$(${diff} --raw ${baseSha} -- | awk -F '[ \\t]' '${condition} { sub(/^[^\\t]*\\t/, ""); print }')`,
      `[ -z "$found" ] || say "$found: ${what}, which the policy denies."`,
    )
  if (policy.submodules === 'deny') mode(`$2 == "${fileModes.submodule}"`, 'a submodule')
  if (policy.symlinks === 'deny') mode(`$2 == "${fileModes.symlink}"`, 'a symlink')
  if (policy.executable === 'deny')
    mode(`$2 == "${fileModes.executable}" && $1 != ":${fileModes.executable}"`, 'made executable')
  return lines.join('\n')
}

function plain(globs: readonly string[]): string {
  return globs.slice(0, 10).join(', ').replaceAll("'", '')
}

/** One word of a shell. */
function word(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
