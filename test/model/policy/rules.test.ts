import { describe, expect, test } from 'vitest'
import { judge, maxViolationsPerRule } from '../../../src/model/policy/judge.ts'
import { defaultPolicy, policySchema } from '../../../src/model/policy/schema.ts'
import { effectivePolicy } from '../../../src/model/repository-file/effective-policy.ts'
import type { JudgedWork } from '../../../src/model/policy/work.ts'
import { executable, submodule, symlink, workOf, type Files } from './work-of.ts'

async function brokenBy(policy: unknown, work: JudgedWork): Promise<string[]> {
  const violations = await judge(policySchema.parse(policy), work)
  return violations.map(({ rule, file, line }) =>
    [rule, file, line].filter((part) => part !== null).join(' '),
  )
}

const sha = (digit: string) => digit.repeat(40)
const commit = (parents: string[], authorEmail = 'a@example.org', committerEmail = authorEmail) => ({
  sha: sha('c'),
  parents,
  authorEmail,
  committerEmail,
})
const frontMatter = {
  content: [{ files: 'docs/**/*.md', frontMatter: { title: 'string', updated: 'YYYY-MM-DD HH:MM' } }],
}
const page = (title: string, updated: string) => ({
  'docs/a.md': `---\ntitle: ${title}\nupdated: ${updated}\n---\ntext\n`,
})

const workBy = (author: string, committer: string) =>
  workOf({}, { a: '' }, { commits: [commit([sha('a')], author, committer)] })

interface Case {
  readonly rule: string
  readonly policy: unknown
  readonly base?: Files
  readonly broken: Files
  /** What the violations are: rule, file and line. */
  readonly found: readonly string[]
  readonly nearMiss: Files
}

const cases: readonly Case[] = [
  {
    rule: 'allow',
    policy: { allow: ['src/**'] },
    broken: { 'srcs/a.ts': '' },
    found: ['allow srcs/a.ts'],
    nearMiss: { 'src/a.ts': '' },
  },
  {
    rule: 'allow, for a deletion',
    policy: { allow: ['src/**'] },
    base: { 'a.md': 'x' },
    broken: {},
    found: ['allow a.md'],
    nearMiss: { 'a.md': 'x' },
  },
  {
    rule: 'allow nothing',
    policy: { allow: [] },
    base: { a: '1' },
    broken: { a: '2' },
    found: ['allow a'],
    nearMiss: { a: '1' },
  },
  {
    rule: 'deny',
    policy: { deny: ['**/*.lock'] },
    broken: { 'a/b.lock': '' },
    found: ['deny a/b.lock'],
    nearMiss: { 'a/b.lock.ts': '' },
  },
  {
    rule: 'deny, for both sides of a rename',
    policy: { deny: ['secret/**'] },
    base: { 'secret/a': 'x' },
    broken: { 'open/a': 'x' },
    found: ['deny secret/a'],
    nearMiss: { 'secret/a': 'x', 'open/a': 'x' },
  },
  {
    rule: 'deny, for a change of mode alone',
    policy: { deny: ['run.sh'] },
    base: { 'run.sh': 'x' },
    broken: { 'run.sh': executable('x') },
    found: ['deny run.sh'],
    nearMiss: { 'run.sh': 'x' },
  },
  {
    rule: 'maxFiles',
    policy: { maxFiles: 2 },
    broken: { a: '', b: '', c: '' },
    found: ['maxFiles'],
    nearMiss: { a: '', b: '' },
  },
  {
    rule: 'maxLines',
    policy: { maxLines: 2 },
    broken: { a: '1\n2\n3\n' },
    found: ['maxLines'],
    nearMiss: { a: '1\n2\n' },
  },
  {
    rule: 'maxFileBytes',
    policy: { maxFileBytes: 4 },
    broken: { a: '12345' },
    found: ['maxFileBytes a'],
    nearMiss: { a: '1234' },
  },
  {
    rule: 'maxFileBytes, for a binary file',
    policy: { maxFileBytes: 4 },
    broken: { a: '1\0abc' },
    found: ['maxFileBytes a'],
    nearMiss: { a: '1\0ab' },
  },
  {
    rule: 'binary',
    policy: { binary: 'deny' },
    base: { b: 'x\0' },
    broken: { a: 'a\0b', b: 'x\0' },
    found: ['binary a'],
    nearMiss: { a: 'ab' },
  },
  {
    rule: 'submodules',
    policy: {},
    broken: { lib: submodule },
    found: ['submodules lib'],
    nearMiss: { 'lib/a': '' },
  },
  {
    rule: 'submodules, by their file',
    policy: {},
    broken: { '.gitmodules': 'x' },
    found: ['submodules .gitmodules'],
    nearMiss: { 'docs/gitmodules': 'x' },
  },
  {
    rule: 'executable',
    policy: { executable: 'deny' },
    base: { old: executable('1') },
    broken: { old: executable('1'), run: executable('') },
    found: ['executable run'],
    nearMiss: { old: executable('2') },
  },
  {
    rule: 'symlinks deny',
    policy: { symlinks: 'deny' },
    broken: { a: symlink('b'), b: '' },
    found: ['symlinks a'],
    nearMiss: { a: '', b: '' },
  },
  {
    rule: 'symlinks inside',
    policy: {},
    broken: { 'x/a': symlink('../../b') },
    found: ['symlinks x/a'],
    nearMiss: { 'x/a': symlink('../b') },
  },
  {
    rule: 'content, a front matter',
    policy: frontMatter,
    broken: page('One', '2024-02-30 10:00'),
    found: ['content docs/a.md 3'],
    nearMiss: page('One', '2024-02-29 10:00'),
  },
  {
    rule: 'content, no new file',
    policy: { content: [{ files: '*.md', onlyExisting: true }] },
    base: { 'README.md': 'a' },
    broken: { 'README.md': 'a', 'NOTES.md': '' },
    found: ['content NOTES.md'],
    nearMiss: { 'README.md': 'b', 'docs/NOTES.md': '' },
  },
  {
    rule: 'content, a required pattern',
    policy: { content: [{ files: '**/*.ts', required: '^// Copyright' }] },
    broken: { 'a.ts': 'x' },
    found: ['content a.ts'],
    nearMiss: { 'a.ts': '#!x\n// Copyright' },
  },
  {
    rule: 'content, a forbidden pattern',
    policy: { content: [{ files: '**/*.ts', forbidden: 'console\\.log' }] },
    broken: { 'a.ts': 'x\nconsole.log()' },
    found: ['content a.ts 2'],
    nearMiss: { 'a.ts': 'consoleXlog' },
  },
  {
    rule: 'protect, its own globs',
    policy: { protect: ['tools/**'] },
    base: { 'tools/a': '1' },
    broken: { 'tools/a': '2' },
    found: ['protect tools/a'],
    nearMiss: { 'tools/a': '1', '.github/workflows/x.yml': '' },
  },
  {
    rule: 'protect, the file itself always',
    policy: { protect: [] },
    base: {},
    broken: { '.nightshift.yaml': '' },
    found: ['protect .nightshift.yaml'],
    nearMiss: { 'docs/nightshift.yaml': '' },
  },
]

describe('a rule', () => {
  test.each(cases)(
    '$rule: what breaks it is found, a near miss is not',
    async ({ policy, base = {}, broken, found, nearMiss }) => {
      expect(await brokenBy(policy, workOf(base, broken))).toEqual(found)
      expect(await brokenBy(policy, workOf(base, nearMiss))).toEqual([])
    },
  )

  test('mergeCommits: a commit with two parents is found, one with one is not', async () => {
    const merge = workOf({}, { a: '' }, { commits: [commit([sha('a'), sha('b')])] })
    const plain = workOf({}, { a: '' }, { commits: [commit([sha('a')])] })
    expect(await brokenBy({ mergeCommits: 'deny' }, merge)).toEqual(['mergeCommits'])
    expect(await brokenBy({ mergeCommits: 'deny' }, plain)).toEqual([])
    expect(await brokenBy({}, merge)).toEqual([])
  })

  test('authors: both addresses of a commit count, in any case', async () => {
    const policy = { authors: '*@example.org' }
    expect(await brokenBy(policy, workBy('a@example.org', 'b@evil.org'))).toEqual(['authors'])
    expect(await brokenBy(policy, workBy('a@example.org.evil.org', 'b@Example.org'))).toEqual(['authors'])
    expect(await brokenBy(policy, workBy('a@EXAMPLE.org', 'b@example.org'))).toEqual([])
  })

  test('secrets: what a scanner found is told by its kind, unless the policy lets it be', async () => {
    const secretFindings = [{ file: 'a.env', line: 3, kind: 'AWS access key' }]
    const work = workOf({}, { 'a.env': 'x' }, { secretFindings })
    const [violation] = await judge(policySchema.parse({}), work)
    expect(violation).toMatchObject({ rule: 'secrets', file: 'a.env', line: 3 })
    expect(violation?.message).toContain('AWS access key')
    expect(await brokenBy({ secrets: 'allow' }, work)).toEqual([])
  })

  test('ordinary work passes the policy of a repository without a file, unread', async () => {
    const work = workOf(
      { 'src/a.ts': '1\n', 'src/a.test.ts': "it('a', () => {})", 'package.json': '{}' },
      {
        'src/a.ts': '2\n',
        'image.png': 'x\0',
        'bin/run': executable('x'),
        'package.json': '{"scripts":{"a":"b"}}',
      },
    )
    expect(await judge(effectivePolicy(null, null), work)).toEqual([])
    expect(work.asked.reads).toEqual([])
    expect(effectivePolicy(null, defaultPolicy()).protect.every((one) => !one.defaults)).toBe(true)
  })

  test('a flood of violations is told in part, with the number of the rest', async () => {
    const head = Object.fromEntries(Array.from({ length: 250 }, (_, index) => [`x/${index}`, '']))
    const violations = await judge(policySchema.parse({ deny: ['x/**'] }), workOf({}, head))
    expect(violations).toHaveLength(maxViolationsPerRule + 1)
    expect(violations.at(-1)?.message).toContain('150 more')
  })

  test('every message names the place and says what to do', async () => {
    const work = workOf(
      { 'package.json': '{}' },
      { 'x\u202ey\n.lock': 'a\0', 'package.json': '{"scripts":{"a":"b"}}', l: symlink('/etc') },
    )
    const policy = policySchema.parse({ allow: ['src/**'], deny: ['**/*.lock'], maxFiles: 1, binary: 'deny' })
    const violations = await judge(policy, work)
    expect(violations.map(({ rule }) => rule)).toEqual(
      expect.arrayContaining(['allow', 'deny', 'protect', 'maxFiles', 'binary', 'symlinks']),
    )
    for (const { message } of violations) {
      expect(message).toMatch(/(?:Undo|Keep|Leave|Use|Rename|Remove)/)
      // oxlint-disable-next-line no-control-regex -- a hostile name must not reach a terminal as it is
      expect(message).not.toMatch(/[\x00-\x1f\u202e]/)
    }
  })

  test('a failure of the machinery is no violation: it rejects', async () => {
    const work: JudgedWork = {
      ...workOf({}, { a: symlink('b') }),
      headTree: () => Promise.reject(new Error('disk is gone')),
    }
    await expect(judge(policySchema.parse({}), work)).rejects.toThrow('disk is gone')
  })

  test('10,000 changed files are judged in seconds of processor time, with every path rule on', async () => {
    const head = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, index) => [
        `src/part-${index % 100}/folder/${index}.ts`,
        `${index}\n`,
      ]),
    )
    const work = workOf({}, head)
    const policy = policySchema.parse({
      allow: ['src/**', 'test/**'],
      deny: ['.github/**', '**/*.lock'],
      maxFileBytes: 1000,
      binary: 'deny',
      executable: 'deny',
      tests: 'keep',
      content: [{ files: 'docs/**', frontMatter: { title: 'string' } }],
    })
    const before = process.cpuUsage().user
    expect(await judge(policy, work)).toEqual([])
    expect(process.cpuUsage().user - before).toBeLessThan(5_000_000)
    expect(work.asked).toEqual({ reads: [], trees: 1 })
  })
})
