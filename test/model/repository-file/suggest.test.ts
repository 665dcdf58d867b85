import { describe, expect, test } from 'vitest'
import { parseRepositoryFile } from '../../../src/model/repository-file/parse.ts'
import { suggestFile } from '../../../src/model/repository-file/suggest/suggest.ts'

function suggest(files: Readonly<Record<string, string>>) {
  const has = (name: string) =>
    Object.keys(files).some((file) => file === name || file.startsWith(`${name}/`))
  const suggested = suggestFile({ has, read: (name) => files[name] ?? null })
  const parsed = parseRepositoryFile(suggested.text)
  if (!parsed.ok) throw new Error(`${JSON.stringify(parsed.faults)}\n${suggested.text}`)
  const { setup, checks, policy, network } = parsed.file
  return {
    kinds: suggested.kinds,
    setup: setup?.run ?? null,
    checks: checks.map(({ run }) => run),
    names: checks.map(({ name }) => name),
    tests: policy.tests,
    reaches: network.setup,
    text: suggested.text,
  }
}

const packageJson = (scripts: object, devDependencies: object = {}) =>
  JSON.stringify({ scripts, devDependencies })

describe('the file that init writes', () => {
  test.each([
    [
      'Node with npm',
      {
        'package.json': packageJson({ lint: 'eslint .', typecheck: 'tsc', test: 'vitest run', build: 'tsc' }),
        'package-lock.json': '{}',
      },
      {
        kinds: ['Node'],
        setup: 'npm ci',
        checks: ['npm run lint', 'npm run typecheck', 'npm run test'],
        tests: 'keep',
        reaches: ['npm'],
      },
    ],
    [
      'Node with pnpm, without scripts',
      {
        'package.json': packageJson(
          { test: 'echo "Error: no test specified" && exit 1' },
          { oxlint: '1', typescript: '5' },
        ),
        'pnpm-lock.yaml': '',
        'tsconfig.json': '{}',
      },
      {
        setup: 'pnpm install --frozen-lockfile',
        checks: ['npx oxlint {files}', 'npx tsc --noEmit'],
        tests: 'free',
      },
    ],
    ['Node with nothing', { 'package.json': '{' }, { kinds: ['Node'], setup: null, checks: [], reaches: [] }],
    [
      'Python with uv',
      { 'pyproject.toml': '[tool.ruff]\n[dependency-groups]\ndev = ["pytest", "mypy"]\n', 'uv.lock': '' },
      {
        kinds: ['Python'],
        setup: 'uv sync --locked',
        checks: [
          'uv run --no-sync ruff check {files}',
          'uv run --no-sync ruff format --check {files}',
          'uv run --no-sync mypy .',
          'uv run --no-sync python -m pytest',
        ],
        reaches: ['pip'],
        tests: 'keep',
      },
    ],
    [
      'Python with a list of requirements',
      { 'requirements.txt': 'flask\n', 'tests/test_a.py': '' },
      {
        setup: 'python3 -m venv .venv && .venv/bin/pip install -r requirements.txt',
        checks: ['. .venv/bin/activate && python -m unittest discover'],
        tests: 'keep',
      },
    ],
    [
      'Go',
      { 'go.mod': 'module x', 'go.sum': '' },
      {
        kinds: ['Go'],
        setup: 'go mod download',
        checks: ['! gofmt -l {files} | grep .', 'go vet ./...', 'go test ./...'],
      },
    ],
    [
      'Rust',
      { 'Cargo.toml': '[package]', 'Cargo.lock': '' },
      { kinds: ['Rust'], setup: 'cargo fetch --locked', reaches: ['cargo'] },
    ],
    [
      'two languages',
      { 'go.mod': 'module x', 'package.json': packageJson({ test: 'vitest' }) },
      { kinds: ['Node', 'Go'], names: ['node-test', 'go-format', 'go-vet', 'go-test'] },
    ],
    ['nothing that is known', { 'README.md': 'x' }, { kinds: [], setup: null, checks: [], tests: 'free' }],
  ])('%s', (_what, files, expected) => {
    expect(suggest(files)).toMatchObject(expected)
  })

  test('explains each of its sections', () => {
    const { text } = suggest({ 'package.json': packageJson({ test: 'vitest' }), 'package-lock.json': '{}' })
    for (const key of ['image', 'setup', 'checks', 'policy', 'fixRounds', 'network']) {
      const lines = text.split('\n')
      const at = lines.findIndex((line) => line.replace('# ', '').startsWith(`${key}:`))
      expect(lines[at - 1], key).toMatch(/^# \w/)
    }
  })
})
