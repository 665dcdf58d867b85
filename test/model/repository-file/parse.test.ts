import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { reachable } from '../../../src/model/repository-file/network-section.ts'
import { parsePolicyFile, parseRepositoryFile } from '../../../src/model/repository-file/parse.ts'
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
    expect(file.policy.protect).toEqual([{ globs: ['x/**'], defaults: true, except: ['package.json'] }])
  })

  test('allow of the network counts for every phase', () => {
    const { network } = read('network: { allow: [pip, One.Example.com], checks: [one.example.com, go] }')
    expect(reachable(network, 'checks')).toEqual({ registries: ['pip', 'go'], hosts: ['one.example.com'] })
    expect(reachable(network, 'agent')).toEqual({ registries: ['pip'], hosts: ['one.example.com'] })
  })

  const faulty: [what: string, text: string, found: RegExp][] = [
    [
      'an unknown key',
      'fixRounds: 1\nsetUp: x\n',
      /^2:1 setUp: is not a known key; known here: image, setup, checks/,
    ],
    [
      'an unknown key in the policy',
      'policy:\n  maxfiles: 1\n',
      /^2:3 policy\.maxfiles: is not a known key; known here: allow/,
    ],
    [
      'an unknown key in a check',
      'checks:\n  - name: a\n    run: b\n    cmd: c\n',
      /^4:5 checks\[0\]\.cmd: is not a known key/,
    ],
    ['a missing key', 'checks:\n  - name: a\n', /^2:5 checks\[0\]\.run: must be text/],
    ['a number for a command', 'setup: 1\n', /^1:1 setup: must be text.*, or a mapping/],
    [
      'an unknown key in setup',
      'setup:\n  run: a\n  inputs: [b]\n  input: c\n',
      /^4:3 setup\.input: is not a known key; known here: run, inputs/,
    ],
    ['an empty key', 'checks:\n', /^1:1 checks: must be a list, or left out/],
    ['a word that is none', 'policy:\n  tests: kept\n', /^2:3 policy\.tests: must be keep or free/],
    [
      'a number for a duration',
      'checks: [{ name: a, run: b, timeout: 600 }]',
      /checks\[0\]\.timeout: must be text/,
    ],
    [
      'no duration',
      'checks: [{ name: a, run: b, timeout: soon }]',
      /checks\[0\]\.timeout: must be a duration between 1s and 1d/,
    ],
    ['too many rounds', 'fixRounds: 11', /^1:1 fixRounds: must be at most 10/],
    ['half a round', 'fixRounds: 1.5', /^1:1 fixRounds: must be a whole number/],
    ['a negative limit', 'policy: { maxFiles: -1 }', /^1:11 policy\.maxFiles: must be at least 0/],
    [
      'two checks of one name',
      'checks:\n  - { name: a, run: b }\n  - { name: a, run: c }\n',
      /^3:7 checks\[1\]\.name: is the name of another check/,
    ],
    [
      'a glob out of the repository',
      'policy:\n  deny:\n    - a\n    - ../b\n',
      /^4:7 policy\.deny\[1\]: "\.\.\/b" must not contain/,
    ],
    ['a negated glob', 'policy:\n  allow: ["!a"]\n', /^2:11 policy\.allow\[0\]: "!a" must not begin with !/],
    [
      'a glob that is not quoted',
      'policy:\n  deny: [*.lock]\n',
      /^2:\d+ null: \*\.lock is a reference in YAML, to nothing here: put a glob in quotes/,
    ],
    [
      'a negated glob that is not quoted',
      'policy:\n  deny: [!src/**]\n',
      /^2:\d+ null: what begins with ! is a tag in YAML/,
    ],
    [
      'placeholders in quotes',
      'checks: [{ name: a, run: "lint \'{files}\'" }]',
      /checks\[0\]\.run: must have \{files\} without quotes/,
    ],
    [
      'a placeholder that is glued',
      'checks: [{ name: a, run: "lint --files={files}" }]',
      /checks\[0\]\.run: must have \{files\} as a word/,
    ],
    [
      'a placeholder behind a dollar',
      'checks: [{ name: a, run: "lint ${files}" }]',
      /checks\[0\]\.run: must have \{files\} as a word/,
    ],
    [
      'a placeholder in a comment',
      'checks: [{ name: a, run: "lint # {files}" }]',
      /checks\[0\]\.run: must not have \{files\} in a comment/,
    ],
    [
      'a front matter of an unknown type',
      'policy: { content: [{ files: a, frontMatter: { title: text } }] }',
      /frontMatter\.title: "text" is no type: write string/,
    ],
    [
      'a content rule that asks nothing',
      'policy: { content: [{ files: a }] }',
      /policy\.content\[0\]: asks nothing/,
    ],
    [
      'a pattern that is none',
      'policy: { content: [{ files: a, required: "(" }] }',
      /policy\.content\[0\]\.required: is no regular expression/,
    ],
    ['a host that is none', 'network:\n  setup: ["a b"]\n', /^2:11 network\.setup\[0\]: must be a host name/],
    ['full network', 'network: { agent: [full] }', /network\.agent\[0\]: is no host/],
    ['an image with an option', 'image: --privileged', /^1:1 image: must be a container image/],
    ['a list for a file', '- a\n', /^1:1 null: must be a mapping/],
    ['a word for a file', 'hello', /^1:1 null: must be a mapping/],
    ['a key twice', 'setup: a\nsetup: b\n', /^2:1 null: this key stands here twice/],
    ['a tab', 'policy:\n\tdeny: []\n', /^2:1 null: tabs cannot indent/],
    ['two documents', 'setup: a\n---\nsetup: b\n', /^2:1 null: the file has several documents/],
    ['open quotes', 'setup: "a\n', /null: is not valid YAML: Missing closing/],
    ['a reserved character', 'setup: @a\n', /^1:8 null: a value that begins with this character/],
    ['merged keys', '<<: { setup: a }\n', /<<: is not a known key/],
    ['the prototype', '__proto__: { setup: a }\n', /__proto__: is not a known key/],
    ['a list as a key', '? [a]\n: b\n', /null: has a key that is no text/],
    ['a NUL', 'setup: a\nimage: "\0"', /^2:9 null: the file is not plain UTF-8/],
    ['a NUL behind an escape', 'setup: "a\\0b"', /^1:1 setup: must not contain a NUL/],
    ['what was no UTF-8', 'setup: \ufffd', /^1:8 null: the file is not plain UTF-8/],
    ['too much', `# ${'x'.repeat(256 * 1024)}`, /null: the file is larger than 256 KB/],
    ['a reference to itself', 'checks: &a [*a]', /null: refers to itself/],
    [
      'many references',
      `policy:\n  deny: [&a "b", ${'*a, '.repeat(60)}]`,
      /null: has more than 50 references/,
    ],
    [
      'references that multiply',
      'a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d]\n',
      /null: the file cannot be used: Excessive alias count/,
    ],
    ['deep nesting', '['.repeat(100_000), /null: is nested too deeply/],
    ['nesting that the parser takes', `${'['.repeat(60)}${']'.repeat(60)}`, /null: is nested too deeply/],
    ['deep lists', '- '.repeat(100_000), /null: is nested too deeply/],
  ]
  test.each(faulty)('%s is refused, with its place and what to do', (_what, text, found) => {
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
