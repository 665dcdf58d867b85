const shells = new Set(['sh', 'bash', 'dash', 'ksh', 'zsh', '.', 'source'])
const interpreters = new Set(['node', 'tsx', 'bun', 'python', 'python3', 'ruby', 'perl', 'php'])
const wrappers = new Set(['exec', 'command', 'time', 'env', 'npx', 'nice'])

/**
 * Files of the repository that a command runs as programs, by their path: `./check.sh`, `sh ci/lint`,
 * `node scripts/check.js`. Read from the plain forms that people write; what a shell would have to work out is not
 * found.
 */
export function scriptsOf(command: string): string[] {
  const found = command.split(/&&|\|\||[;|&\n()]/).flatMap((simple) => {
    const path = scriptOf(simple.trim().split(/\s+/))
    return path === null ? [] : [path]
  })
  return [...new Set(found)]
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

/** As git writes it; `null`: it is none of the repository, or has to be worked out by a shell. */
function plainPath(word: string): string | null {
  const path = word.replace(/^(["'])(.*)\1$/, '$2').replace(/^(?:\.\/+)+/, '')
  if (!/^[\w.@+-]+(?:\/[\w.@+-]+)*$/.test(path) || path.startsWith('-')) return null
  return path.split('/').some((name) => name === '.' || name === '..') ? null : path
}
