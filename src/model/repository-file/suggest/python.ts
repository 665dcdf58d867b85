import type { RepositoryRoot, SuggestedCheck, Suggestion } from './ecosystem.ts'

const projectFiles = ['pyproject.toml', 'setup.py', 'setup.cfg', 'requirements.txt', 'Pipfile', 'tox.ini']
const code = ['**/*.py']

/** Python: the tools that its files name, in the environment that its lock file is for. */
export function suggestPython(root: RepositoryRoot): Suggestion | null {
  const found = projectFiles.filter((name) => root.has(name))
  if (found.length === 0) return null
  const more = [
    'requirements-dev.txt',
    'dev-requirements.txt',
    'requirements/dev.txt',
    'pytest.ini',
    'ruff.toml',
    'mypy.ini',
  ]
  const text = [...found, ...more]
    .map((name) => (root.has(name) ? `${name}\n${root.read(name) ?? ''}` : ''))
    .join('\n')
  const { setup, run } = environment(root)
  const checks: SuggestedCheck[] = []
  if (/\bruff\b/.test(text)) {
    checks.push({ name: 'lint', run: `${run}ruff check {files}`, files: code, baseline: true })
    checks.push({ name: 'format', run: `${run}ruff format --check {files}`, files: code, baseline: true })
  } else if (/\bflake8\b/.test(text)) {
    checks.push({ name: 'lint', run: `${run}flake8 {files}`, files: code, baseline: true })
  }
  if (/\bmypy\b/.test(text)) checks.push({ name: 'types', run: `${run}mypy .`, baseline: true })
  const usesPytest = /\bpytest\b/.test(text)
  const tests = usesPytest || ['tests', 'test'].some((name) => root.has(name))
  if (usesPytest) checks.push({ name: 'test', run: `${run}python -m pytest` })
  else if (tests) checks.push({ name: 'test', run: `${run}python -m unittest discover` })
  return { kind: 'Python', image: 'python:3.13-bookworm', setup, registry: 'pip', checks, tests }
}

function environment(root: RepositoryRoot) {
  if (root.has('uv.lock')) return { setup: 'uv sync --locked', run: 'uv run --no-sync ' }
  if (root.has('poetry.lock')) return { setup: 'poetry install', run: 'poetry run ' }
  if (root.has('Pipfile.lock')) return { setup: 'pipenv sync --dev', run: 'pipenv run ' }
  const lists = ['requirements.txt', 'requirements-dev.txt', 'dev-requirements.txt'].filter((name) =>
    root.has(name),
  )
  const installed = lists.length > 0 ? lists.map((name) => `-r ${name}`).join(' ') : '-e .'
  return {
    setup: `python3 -m venv .venv && .venv/bin/pip install ${installed}`,
    run: '. .venv/bin/activate && ',
  }
}
