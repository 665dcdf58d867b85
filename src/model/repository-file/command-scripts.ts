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

/** A script of a `package.json`. */
export interface PackageScript {
  /** Of the `package.json`; `.`: the top. */
  readonly folder: string
  readonly name: string
}

/**
 * Files of the repository that a command runs as programs, by their path: `./check.sh`, `sh ci/lint`,
 * `node scripts/check.js`. Read from the plain forms that people write; what a shell would have to work out is not
 * found. A plain `cd` before them counts, up to the end of its parentheses.
 */
export function scriptsOf(command: string, top = '.'): string[] {
  const found = simpleCommands(command, top).flatMap(({ folder, words }) => {
    const path = within(folder, scriptOf(words) ?? '')
    return path === null || path === folder ? [] : [path]
  })
  return [...new Set(found)]
}

/** Scripts of package.json that a command runs (`npm test`, `yarn lint`), with those that go before and after them. */
export function packageScriptsOf(command: string, top = '.'): PackageScript[] {
  return simpleCommands(command, top).flatMap(({ folder, words }) => {
    const name = packageScript(words)
    if (name === null || folder === null) return []
    return [`pre${name}`, name, `post${name}`].map((one) => ({ folder, name: one }))
  })
}

function packageScript(words: readonly string[]): string | null {
  const [program = '', verb = '', name] = words.filter((word) => !word.startsWith('-') && !/^\w+=/.test(word))
  if (wrappers.has(program)) return packageScript(words.slice(words.indexOf(program) + 1))
  if (!/^(?:npm|pnpm|yarn|bun)$/.test(program)) return null
  if (/^(?:run|run-script)$/.test(verb)) return name ?? null
  if (/^(?:test|t|tst)$/.test(verb)) return 'test'
  if (/^(?:ci|install|i)$/.test(verb)) return 'install'
  return program === 'npm' || program === 'bun' || verb === '' ? null : verb
}

interface SimpleCommand {
  /** `null`: nobody knows where. */
  readonly folder: string | null
  readonly words: readonly string[]
}

function simpleCommands(command: string, top: string): SimpleCommand[] {
  const found: SimpleCommand[] = []
  const folders: (string | null)[] = [top]
  for (const part of command.split(/(&&|\|\||[;|&\n()])/)) {
    const words = part.trim().split(/\s+/)
    const folder = folders.at(-1) ?? null
    if (part === '(') folders.push(folder)
    else if (part === ')') folders.pop()
    else if (words[0] === 'cd') folders[folders.length - 1] = within(folder, words[1] ?? '~')
    else found.push({ folder, words })
  }
  return found
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
