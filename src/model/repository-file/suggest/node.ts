import type { RepositoryRoot, SuggestedCheck, Suggestion } from './ecosystem.ts'

interface PackageJson {
  readonly scripts: Readonly<Record<string, unknown>>
  readonly dependencies: ReadonlySet<string>
}

const typeScripts = ['types', 'typecheck', 'type-check', 'check-types', 'tsc']
const formatScripts = ['format:check', 'fmt:check', 'prettier:check', 'check-format', 'check:format']

/** Node, Deno apart: what its package.json has, by the package manager whose lock file lies there. */
export function suggestNode(root: RepositoryRoot): Suggestion | null {
  const text = root.read('package.json')
  if (text === null) return null
  const { scripts, dependencies } = parse(text)
  const { setup, runner } = manager(root, dependencies.size > 0)
  const checks: SuggestedCheck[] = []
  const add = (name: string, names: readonly string[]) => {
    const script = names.find((one) => isReal(scripts[one]))
    if (script !== undefined) checks.push({ name, run: `${runner} ${script}` })
    return script !== undefined
  }
  if (!add('lint', ['lint', 'eslint', 'lint:check'])) checks.push(...linter(dependencies))
  const typed = add('types', typeScripts)
  if (!typed && dependencies.has('typescript') && root.has('tsconfig.json'))
    checks.push({ name: 'types', run: 'npx tsc --noEmit' })
  add('format', formatScripts)
  const tested = add('test', ['test', 'test:unit', 'vitest', 'jest'])
  return { kind: 'Node', image: 'node:24-bookworm', setup, registry: 'npm', checks, tests: tested }
}

function parse(text: string): PackageJson {
  try {
    const root: unknown = JSON.parse(text.replace(/^\ufeff/, ''))
    const part = (key: string): Record<string, unknown> => {
      const value = isRecord(root) ? root[key] : undefined
      return isRecord(value) ? value : {}
    }
    const names = [...Object.keys(part('dependencies')), ...Object.keys(part('devDependencies'))]
    return { scripts: part('scripts'), dependencies: new Set(names) }
  } catch {
    return { scripts: {}, dependencies: new Set() }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A script that does something; npm's own placeholder only fails. */
function isReal(script: unknown): boolean {
  return typeof script === 'string' && script.trim() !== '' && !script.includes('no test specified')
}

function manager(root: RepositoryRoot, hasDependencies: boolean) {
  if (root.has('pnpm-lock.yaml')) return { setup: 'pnpm install --frozen-lockfile', runner: 'pnpm run' }
  if (root.has('yarn.lock')) {
    const flag = root.has('.yarnrc.yml') ? '--immutable' : '--frozen-lockfile'
    return { setup: `yarn install ${flag}`, runner: 'yarn run' }
  }
  if (root.has('bun.lock') || root.has('bun.lockb'))
    return { setup: 'bun install --frozen-lockfile', runner: 'bun run' }
  const locked = root.has('package-lock.json') || root.has('npm-shrinkwrap.json')
  return { setup: locked ? 'npm ci' : hasDependencies ? 'npm install' : null, runner: 'npm run' }
}

const code = ['**/*.{js,mjs,cjs,jsx,ts,mts,cts,tsx}']

function linter(dependencies: ReadonlySet<string>): SuggestedCheck[] {
  const commands: readonly (readonly [string, string])[] = [
    ['oxlint', 'npx oxlint {files}'],
    ['@biomejs/biome', 'npx biome check {files}'],
    ['eslint', 'npx eslint {files}'],
  ]
  const found = commands.find(([name]) => dependencies.has(name))
  return found === undefined ? [] : [{ name: 'lint', run: found[1], files: code, baseline: true }]
}
