import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { reachable } from '../../../src/model/repository-file/network-section.ts'
import { parsePolicyFile, parseRepositoryFile } from '../../../src/model/repository-file/parse.ts'
import { faultyFiles } from './faulty-files.ts'
import type { RepositoryFile } from '../../../src/model/repository-file/repository-file.ts'

function read(text: string): RepositoryFile {
  const parsed = parseRepositoryFile(text)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults))
  return parsed.file
}

/** `line:column key: message`, one a line. */
function faults(text: string): string {
  const parsed = parseRepositoryFile(text)
  if (parsed.ok) return ''
  return parsed.faults
    .map(({ line, column, key, message }) => `${line}:${column} ${key}: ${message}`)
    .join('\n')
}

/** As the contract shows it. */
const full = `image: node:24-bookworm            # dagger runtime
setup: npm ci
checks:
  - name: lint
    run: npx oxlint {files}        # {files}: the changed files
    files: ["**/*.ts"]
  - name: test
    run: npm test
    baseline: true
    timeout: 10m
policy:
  allow: ["src/**", "test/**"]
  deny: [".github/**", "**/*.lock"]
  maxFiles: 50
  maxLines: 2000
  tests: keep
  binary: deny
  symlinks: inside
  maxFileBytes: 1000000
  secrets: deny
  mergeCommits: allow
  protect: default
  content:
    - files: "docs/**/*.md"
      frontMatter: { title: string, updated: "YYYY-MM-DD HH:MM" }
    - files: "*.md"
      onlyExisting: true
fixRounds: 2
network:
  setup: [npm, packages.example.com]
  agent: []
  checks: []
`

describe('.nightshift.yaml', () => {
  test('the file of the contract is read as it is meant', () => {
    const file = read(full)
    expect(file).toMatchObject({
      image: 'node:24-bookworm',
      setup: { run: 'npm ci', inputs: null },
      checks: [
        {
          name: 'lint',
          run: 'npx oxlint {files}',
          files: ['**/*.ts'],
          baseline: false,
          timeoutMs: 1_800_000,
        },
        { name: 'test', run: 'npm test', files: null, baseline: true, timeoutMs: 600_000 },
      ],
      policy: {
        allow: [['src/**', 'test/**']],
        deny: ['.github/**', '**/*.lock'],
        maxFiles: 50,
        tests: 'keep',
        binary: 'deny',
        submodules: 'deny',
        executable: 'allow',
        protect: [{ globs: [], defaults: true, except: [] }],
      },
      fixRounds: 2,
    })
    expect(reachable(file.network, 'setup')).toEqual({ registries: ['npm'], hosts: ['packages.example.com'] })
    expect(reachable(file.network, 'agent')).toEqual({ registries: [], hosts: [] })
  })

  test.each(['', '\n', '# nothing yet\n', '---\n', '{}', '\ufeff', 'null'])('%j is all defaults', (text) => {
    expect(read(text)).toEqual(read('fixRounds: 2'))
    expect(read(text).checks).toEqual([])
  })

  test('byte order mark, CRLF and a few references change nothing', () => {
    const text = 'policy:\r\n  allow: &code ["src/**"]\r\n  deny: *code\r\n'
    expect(read(`\ufeff${text}`)).toEqual(read(text.replaceAll('\r', '')))
    expect(read(text).policy.deny).toEqual(['src/**'])
  })

  test('setup may say what its result depends on, and protect may list globs beside default', () => {
    const file = read(
      'setup: { run: npm ci, inputs: package-lock.json }\npolicy: { protect: [default, "x/**"], allow: [package.json, "src/**"] }',
    )
    expect(file.setup).toEqual({ run: 'npm ci', inputs: ['package-lock.json'] })
    expect(file.policy.protect).toEqual([
      { globs: ['x/**'], defaults: true, except: ['package.json'], byOperator: false },
    ])
  })

  test('allow of the network counts for every phase', () => {
    const { network } = read('network: { allow: [pip, One.Example.com], checks: [one.example.com, go] }')
    expect(reachable(network, 'checks')).toEqual({ registries: ['pip', 'go'], hosts: ['one.example.com'] })
    expect(reachable(network, 'agent')).toEqual({ registries: ['pip'], hosts: ['one.example.com'] })
  })

  test.each(faultyFiles)('%s is refused, with its place and what to do', (_what, text, found) => {
    expect(faults(text)).toMatch(found)
  })

  test('all faults are told, in the order of the file', () => {
    expect(
      faults('fixRounds: 99\npolicy:\n  tests: x\nchecks: 1\n')
        .split('\n')
        .map((line) => line.split(' ')[0]),
    ).toEqual(['1:1', '3:3', '4:1'])
  })

  test('no text makes it throw, and every fault stands in the file', () => {
    const pieces = fc.constantFrom(
      'policy:',
      'checks:',
      '  ',
      '\n',
      '- ',
      'name: a',
      '{',
      '}',
      '[',
      ']',
      ',',
      '"',
      "'",
      '&a ',
      '*a',
      '|',
      '>',
      '# x',
      ': ',
      '!!',
      '---',
      '\t',
      '? ',
      'deny',
      '<<',
      '\r\n',
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, (source) => {
        const parsed = parseRepositoryFile(source)
        if (parsed.ok) return
        expect(parsed.faults.length).toBeGreaterThan(0)
        for (const { line, column, message } of parsed.faults) {
          expect(line).toBeGreaterThan(0)
          expect(line).toBeLessThanOrEqual(source.split(/\n|\r/).length + 1)
          expect(column).toBeGreaterThan(0)
          expect(message).not.toBe('')
        }
      }),
      { numRuns: 2000 },
    )
  })

  test("the operator's file has the keys of policy at its top", () => {
    expect(parsePolicyFile('maxFiles: 10\n')).toMatchObject({ ok: true, policy: { maxFiles: 10 } })
    expect(parsePolicyFile('setup: x\n')).toMatchObject({
      ok: false,
      faults: [{ line: 1, column: 1, key: 'setup' }],
    })
  })
})
