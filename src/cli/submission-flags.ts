import type { Command } from 'commander'
import type { FieldFault } from '../core/submit.ts'
import { candidatesOf } from './candidates-flag.ts'

/** The flags of `run` and `submit`, as they were typed: judged by submit(), like the body of a request. */
export interface SubmissionFlags {
  repo?: string
  promptFile?: string[]
  base?: string
  agent?: string
  command?: string
  model?: string
  maxCost?: string
  reviewer?: string
  reviewCommand?: string
  candidates?: string
  keep?: string
  judge?: string
  judgeCommand?: string
  mergeMethod?: string
  requireChanges?: boolean
  runtime?: string
  timeout?: string
  silence?: string
  merge?: string
  branch?: string
  paths?: string[]
  network?: string
  priority?: string
  needs?: string[]
}

/** Adds the prompts and the flags that describe tasks. */
export function addSubmissionFlags(command: Command): Command {
  return command
    .argument('[prompt...]', 'what is to be done; several prompts are several tasks')
    .option('--repo <url|path>', 'the repository to work on')
    .option(
      '--prompt-file <file>',
      'read a prompt from a file, or from stdin with - (can be repeated)',
      append,
    )
    .option(
      '--command <shell command>',
      'the agent is this command, run in the clone with $NIGHTSHIFT_PROMPT; with --agent acp, how it is started',
    )
    .option(
      '--agent <name>',
      'claude, codex, gemini, opencode, acp or command (default: claude, or command with --command)',
    )
    .option('--model <name>', 'as the agent names it; opencode: provider/model (default: the agent’s own)')
    .option('--max-cost <dollars>', 'US dollars that a task may cost in all, such as 2.50')
    .option('--base <branch>', 'branch to start from (default: the remote’s default branch)')
    .option('--branch <name>', 'branch to push to (default: nightshift/<id>-<words>)')
    .option('--paths <glob...>', 'what the task will touch; tasks that overlap run one after another')
    .option('--needs <id...>', 'tasks that must end well before')
    .option('--priority <number>', 'higher goes first (default: 0)')
    .option('--network <none|host,host…|full>', 'what the sandbox may reach (default: none)')
    .option('--timeout <duration>', 'wall clock, such as 45m (default: 1h)')
    .option('--silence <duration>', 'how long the agent may say nothing (default: 15m)')
    .option('--require-changes', 'ending without a change is a failure')
    .option('--runtime <name>', 'dagger, local or auto: containers where an engine answers (default: auto)')
    .option(
      '--merge <when>',
      'never, checks: when the checks have passed, review: and a review (default: never)',
    )
    .option('--merge-method <method>', 'merge, squash or rebase (default: merge)')
    .option('--reviewer <agent>', 'agent that reviews the work (default: the same agent)')
    .option(
      '--review-command <shell command>',
      'the reviewer is this command, which prints its verdict as JSON',
    )
    .option(
      '--candidates <number|list>',
      'agents that work on it side by side, of which one is kept: how many, claude:MODEL,codex, or a list as JSON',
    )
    .option(
      '--keep <first|smallest|judge>',
      'which candidate, of those that pass the gate (default: first, or judge where one is given)',
    )
    .option('--judge <agent>', 'agent that prefers one of the candidates (default: the same agent)')
    .option('--judge-command <shell command>', 'the judge is this command, which prints its choice as JSON')
}

function append(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value]
}

const fields = [
  'repo',
  'command',
  'agent',
  'model',
  'reviewer',
  'reviewCommand',
  'base',
  'branch',
  'paths',
  'needs',
  'network',
  'timeout',
  'silence',
  'requireChanges',
  'runtime',
  'merge',
  'mergeMethod',
  'keep',
  'judge',
  'judgeCommand',
] as const

const numberFields = ['priority', 'maxCost'] as const

/** The request of one task: fields that were not typed are left out. */
export function submissionOf(prompt: string, flags: SubmissionFlags): Record<string, unknown> {
  const typed = fields.flatMap((field) =>
    flags[field] === undefined ? [] : [[field, flags[field]] as const],
  )
  const numbers = numberFields.flatMap((field) => {
    const text = flags[field]
    return text === undefined ? [] : [[field, numberOr(text)] as const]
  })
  const candidates = flags.candidates === undefined ? {} : { candidates: candidatesOf(flags.candidates) }
  return { prompt, ...Object.fromEntries([...typed, ...numbers]), ...candidates }
}

// What is no number stays text, and is refused as such by submit().
function numberOr(text: string): number | string {
  return /^-?\d+(?:\.\d+)?$/.test(text.trim()) ? Number(text) : text
}

/** What a person typed for a field of a request: `requireChanges` is `--require-changes`. */
export function flagOf(field: string): string {
  const [, index, name = ''] = /^(?:\[(\d+)\]\.)?(.*)$/s.exec(field) ?? []
  if (name === 'prompt') return index === undefined ? 'PROMPT' : `PROMPT ${Number(index) + 1}`
  if (!/^[a-z][A-Za-z]*(?:\[|\.|$)/.test(name) || name === 'body') return name
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** Faults as lines that name flags, each once: several prompts share their flags. */
export function faultLines(faults: readonly FieldFault[]): string {
  return [...new Set(faults.map(({ field, message }) => `${flagOf(field)}: ${message}`))].join('\n')
}
