import { posix } from 'node:path'

const shells = new Set(['sh', 'bash', 'dash', 'ksh', 'zsh', '.', 'source'])
const interpreters = new Set(['node', 'tsx', 'bun', 'python', 'python3', 'ruby', 'perl', 'php'])
const wrappers = new Set([
  'exec',
  'command',
  'time',
  'env',
  'npx',
  'nice',
  '!',
  'if',
  'then',
  'else',
  'do',
  'while',
])

/**
 * Files of the repository that a command runs as programs, by their path: `./check.sh`, `sh ci/lint`,
 * `node scripts/check.js`. Read from the plain forms that people write; what a shell would have to work out is not
 * found. A plain `cd` before them counts, up to the end of its parentheses.
 */
export function scriptsOf(command: string): string[] {
  const found = new Set<string>()
  const folders: (string | null)[] = ['.']
  for (const part of command.split(/(&&|\|\||[;|&\n()])/)) {
    const words = part.trim().split(/\s+/)
    const folder = folders.at(-1) ?? null
    if (part === '(') folders.push(folder)
    else if (part === ')') folders.pop()
    else if (words[0] === 'cd') folders[folders.length - 1] = within(folder, words[1] ?? '~')
    else {
      const path = within(folder, scriptOf(words) ?? '')
      if (path !== null && path !== folder) found.add(path)
    }
  }
  return [...found]
}

function scriptOf(words: readonly string[]): string | null {
  const [program, ...rest] = words
  if (program === undefined) return null
  if (wrappers.has(program) || /^\w+=/.test(program)) return scriptOf(rest)
  if (shells.has(program)) {
    const script = rest.find((word) => !/^[-+]/.test(word))
    return script === undefined ? null : plainPath(script)
  }
  // With an option in front, such as node --test or python -m, what follows is no script.
  if (interpreters.has(program)) return rest[0] === undefined ? null : plainPath(rest[0])
  return program.includes('/') ? plainPath(program) : null
}

/** A path that no shell has to work out; `null`: it is none. */
function plainPath(word: string): string | null {
  const path = word.replace(/^(["'])(.*)\1$/, '$2')
  return /^[\w.@+-][\w.@+/-]*$/.test(path) && !path.startsWith('-') ? path : null
}

/** As git writes it, from the top of the repository; `null`: it lies outside, or nobody knows where. */
function within(folder: string | null, path: string): string | null {
  const plain = plainPath(path === '' ? '.' : path)
  if (folder === null || plain === null) return null
  const joined = posix.join(folder, plain).replace(/\/$/, '')
  return joined === '..' || joined.startsWith('../') ? null : joined
}
