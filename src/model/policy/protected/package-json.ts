import type { ReadParts } from './parts.ts'

/** Keys of package.json that define or configure checks. */
const protectedKeys = new Set([
  'scripts',
  'workspaces',
  'jest',
  'vitest',
  'mocha',
  'ava',
  'nyc',
  'c8',
  'tap',
  'eslintConfig',
  'eslintIgnore',
  'prettier',
  'stylelint',
  'xo',
  'standard',
  'babel',
  'husky',
  'lint-staged',
  'pre-commit',
  'simple-git-hooks',
  'commitlint',
  'wireit',
  'nx',
  'oxlint',
  'knip',
])
const dependencyKeys = new Set([
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
  'overrides',
  'resolutions',
])

/** Scripts and settings of tools; of the dependencies only those that put something else in a package's place. */
export const packageJsonParts: ReadParts = (text) => {
  const parts = new Map<string, string>()
  const root: unknown = text.trim() === '' ? {} : JSON.parse(text.replace(/^\ufeff/, ''))
  for (const [key, value] of entriesOf(root)) {
    if (protectedKeys.has(key)) {
      const inner = entriesOf(value)
      if (inner.length === 0 || Array.isArray(value)) parts.set(key, canonical(value))
      for (const [name, part] of Array.isArray(value) ? [] : inner)
        parts.set(`${key}.${name}`, canonical(part))
    }
    // Corepack takes an address for the program, too.
    if (key === 'packageManager' && !/^[a-z]+@[\w.+-]+$/.test(String(value))) parts.set(key, canonical(value))
    if (!dependencyKeys.has(key)) continue
    for (const [name, version] of entriesOf(value)) {
      if (typeof version !== 'string' || isReplacement(version))
        parts.set(`${key}.${name}`, canonical(version))
    }
  }
  return parts
}

// A test runner that comes from a folder of the work itself would find all tests to be good.
function isReplacement(version: string): boolean {
  return !/^(?:workspace:[\^~*]?$)?[\w.^~<>=|*+ -]*$/.test(version)
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : []
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
