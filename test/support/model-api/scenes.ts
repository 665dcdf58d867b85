import type { Answer, Given, Scene, Turn } from './scene.ts'
import { call, edit, read, shell, write } from './tools.ts'

const words = (text: string): Given => ({ kind: 'words', text })
const refuse =
  (refusal: Extract<Answer, { kind: 'refusal' }>['refusal']): Scene =>
  () => ({ kind: 'refusal', refusal })

/** Looks for a key wherever a command can look, and writes what it finds into the clone. */
export const keyHunt = [
  '{ env; set; cat /proc/*/environ; cat /proc/*/cmdline; cat /proc/*/mountinfo;',
  'grep -rs . "$HOME" /tmp /run /etc/environment /var/tmp /dev/shm; ls -la / /run "$HOME" /tmp;',
  'for d in /proc/*/fd; do ls -la $d; done; git config --list; } 2>/dev/null | tr "\\000" "\\n" | head -c 3000000 >found.txt;',
  'wc -c found.txt; tail -c 20000 found.txt',
].join(' ')

const writes = (turn: Turn, content = 'written by the model'): Answer =>
  turn.results.length === 0 ? call(write(turn, 'written.txt', content)) : words('I wrote written.txt.')

/** The scripts, by the names that a prompt (`scene:NAME`) or a model (`scene-NAME`) asks for them. */
export const scenes: Readonly<Record<string, Scene>> = {
  says: () => words('Nothing has to be done here.'),
  writes: (turn) => writes(turn),
  edits: (turn) => {
    const title = /# [^\n\\]+/.exec(turn.results[0] ?? '')?.[0]?.trim()
    if (turn.results.length === 0) return call(read(turn, 'README.md'))
    if (turn.results.length > 1 || title === undefined) return words('I changed the title of README.md.')
    return call(edit(turn, 'README.md', title, `${title}, edited`))
  },
  runs: (turn) =>
    turn.results.length === 0 ? call(shell(turn, 'pwd >ran.txt; echo done')) : words('I ran the command.'),
  /** Never comes to an end by itself, and costs a lot. */
  loops: (turn) =>
    call(shell(turn, `echo ${turn.results.length} >>loop.txt`), { input: 20_000, output: 2000 }),
  /** Writes what breaks a rule, and mends it when it is told so. */
  mends: (turn) => writes(turn, /Mend this/.test(turn.said.at(-1) ?? '') ? 'good' : 'bad'),
  nothing: () => ({ kind: 'nothing' }),
  'writes-then-nothing': (turn) => (turn.results.length === 0 ? writes(turn) : { kind: 'nothing' }),
  hangs: () => ({ kind: 'hang', afterWords: false }),
  stalls: () => ({ kind: 'hang', afterWords: true }),
  breaks: () => ({ kind: 'cut', afterWords: false }),
  cuts: () => ({ kind: 'cut', afterWords: true }),
  garbage: () => ({ kind: 'garbage' }),
  endless: () => ({ kind: 'drip', pieces: Number.POSITIVE_INFINITY, everyMs: 5, pieceBytes: 40 }),
  drips: () => ({ kind: 'drip', pieces: 40, everyMs: 20, pieceBytes: 60 }),
  pours: () => ({ kind: 'drip', pieces: 500, everyMs: 0, pieceBytes: 64_000 }),
  401: refuse('unauthorized'),
  403: refuse('forbidden'),
  404: refuse('no-such-model'),
  429: refuse('too-many-requests'),
  'limit-reached': refuse('limit-reached'),
  'limit-reached-epoch': refuse('limit-reached-epoch'),
  'quota-spent': refuse('quota-spent'),
  500: refuse('broken'),
  529: refuse('overloaded'),
  /** Twice broken, twice overloaded, then well. */
  flaky: (turn, nth) =>
    nth < 4 ? { kind: 'refusal', refusal: nth < 2 ? 'broken' : 'overloaded' } : writes(turn),
  /** Works, is then told once that there is no more, and goes on when it is asked again. */
  'limit-reached-once': (turn, nth) =>
    nth === 0 ? { kind: 'refusal', refusal: 'limit-reached' } : writes(turn),
  asks: () => words('Which of the two files do you mean? Please tell me, then I will go on.'),
  'hunts-for-keys': (turn) =>
    turn.results.length === 0 ? call(shell(turn, keyHunt)) : words('I looked everywhere.'),
}

/** A question that a command line asks beside the work: a title, a summary, who speaks next. */
export function aside(turn: Turn): Given {
  if (!turn.wantsJson) return words('A title')
  const answer = {
    title: 'A title',
    isNewTopic: false,
    reasoning: 'none',
    next_speaker: 'user',
    model_choice: 'flash',
    complexity_reasoning: 'none',
    complexity_score: 1,
  }
  return words(JSON.stringify(answer))
}
