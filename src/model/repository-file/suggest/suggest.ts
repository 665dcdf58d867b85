import type { RepositoryRoot, SuggestedCheck, Suggestion } from './ecosystem.ts'
import { suggestGo } from './go.ts'
import { suggestNode } from './node.ts'
import { suggestPython } from './python.ts'
import { suggestRust } from './rust.ts'

/** A `.nightshift.yaml` for a repository, and what it was made for: `Node`, `Python`, … */
export interface SuggestedFile {
  readonly kinds: readonly string[]
  readonly text: string
}

/** Writes a commented file that fits what the repository holds; every suggestion in it can be read and run as it is. */
export function suggestFile(root: RepositoryRoot): SuggestedFile {
  const found = [suggestNode, suggestPython, suggestGo, suggestRust].flatMap((suggest) => suggest(root) ?? [])
  const several = found.length > 1
  const checks = found.flatMap((one) =>
    one.checks.map((check) =>
      several ? { ...check, name: `${one.kind.toLowerCase()}-${check.name}` } : check,
    ),
  )
  const lines = [
    '# How Nightshift works on this repository. It is read from the base of a task, never from an agent’s branch.',
    '# All of it is optional. nightshift schema prints the JSON Schema for editors; nightshift check tries it out.',
    '',
    ...imageLines(found),
    ...setupLines(found),
    ...checkLines(checks),
    ...policyLines(found),
    '# How often the agent gets violations, failed checks or a review back to mend.',
    'fixRounds: 2',
    '',
    ...networkLines(found),
  ]
  return { kinds: found.map((one) => one.kind), text: `${lines.join('\n').trimEnd()}\n` }
}

function imageLines(found: readonly Suggestion[]): string[] {
  const images = found.length === 0 ? ['debian:bookworm'] : found.map((one) => one.image)
  return [
    '# Container image of the dagger runtime; without it, Nightshift’s own.',
    `# image: ${images.join(' or ')}`,
    '',
  ]
}

function setupLines(found: readonly Suggestion[]): string[] {
  const comment = '# Runs before the agent, and again before the checks in a clean sandbox.'
  const commands = found.flatMap((one) => one.setup ?? [])
  if (commands.length === 0) return [comment, '# setup: make deps', '']
  return [comment, `setup: ${quoted(commands.join(' && '))}`, '']
}

function checkLines(checks: readonly SuggestedCheck[]): string[] {
  const comment = [
    '# What the work must pass, in this order, in a clean clone. {files} stands for the changed files that match `files`;',
    '# without any, the check is skipped. With `baseline`, what fails on the base already is not held against the work.',
  ]
  if (checks.length === 0) {
    return [
      ...comment,
      'checks: []',
      '# checks:',
      '#   - name: test',
      '#     run: make test',
      '#     timeout: 10m',
      '',
    ]
  }
  return [
    ...comment,
    'checks:',
    ...checks.flatMap(({ name, run, files, baseline }) => [
      `  - name: ${name}`,
      `    run: ${quoted(run)}`,
      ...(files === undefined ? [] : [`    files: ${list(files)}`]),
      ...(baseline === undefined ? [] : ['    baseline: true']),
    ]),
    '',
  ]
}

function policyLines(found: readonly Suggestion[]): string[] {
  const keep = found.some((one) => one.tests)
  return [
    '# What may change. Secrets, submodules, links out of the tree and whatever defines the checks (this file, CI files,',
    '# package scripts, test and lint settings) are refused without being named here.',
    'policy:',
    '  # allow: ["src/**", "docs/**"]   # nothing else may change; a path without * may change although it is protected',
    '  # deny: [".github/**"]',
    '  maxFiles: 100',
    '  maxLines: 5000',
    '  maxFileBytes: 1000000',
    `  ${keep ? '' : '# '}tests: keep                    # no test deleted, skipped, emptied or stripped of its assertions`,
    '  # content:',
    '  #   - files: "docs/**/*.md"',
    '  #     frontMatter: { title: string, updated: "YYYY-MM-DD HH:MM" }',
    '  #   - files: "*.md"',
    '  #     onlyExisting: true           # no new file at the top',
    '',
  ]
}

function networkLines(found: readonly Suggestion[]): string[] {
  const registries = [...new Set(found.flatMap((one) => (one.setup === null ? [] : one.registry)))]
  const comment = [
    '# Hosts that may be reached, on top of the agent’s own model API. npm, pip, go, cargo and maven stand for the',
    '# registries that these tools are configured for.',
  ]
  if (registries.length === 0) return [...comment, '# network:', '#   setup: [packages.example.org]']
  return [...comment, 'network:', `  setup: [${registries.join(', ')}]`, '  agent: []', '  checks: []']
}

function list(texts: readonly string[]): string {
  return `[${texts.map((text) => JSON.stringify(text)).join(', ')}]`
}

/** Plain where YAML reads it as the same text, in quotes otherwise. */
function quoted(text: string): string {
  return /^[\w./][\w./ &=:@-]*$/.test(text) && !/: |\s#|:$/.test(text) ? text : JSON.stringify(text)
}
