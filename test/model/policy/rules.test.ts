import { describe, expect, test } from 'vitest'
import { judge, maxViolationsPerRule } from '../../../src/model/policy/judge.ts'
import { defaultPolicy, policySchema } from '../../../src/model/policy/schema.ts'
import { effectivePolicy } from '../../../src/model/repository-file/effective-policy.ts'
import type { JudgedWork } from '../../../src/model/policy/work.ts'
import { cases } from './rule-cases.ts'
import { executable, symlink, workOf } from './work-of.ts'

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
const workBy = (author: string, committer: string) =>
  workOf({}, { a: '' }, { commits: [commit([sha('a')], author, committer)] })

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
    const secretFindings = [{ file: 'a.env', line: 3, commit: null, kind: 'AWS access key' }]
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
    expect(effectivePolicy(null, defaultPolicy()).protect.every((one) => one.defaults)).toBe(true)
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

  test('a small file is read once, however many rules look at it; what is longer is told from it', async () => {
    const long = `${'x\n'.repeat(300_000)}\0`
    const work = workOf({}, { 'a.test.ts': '1', 'long.test.ts': long })
    const policy = policySchema.parse({
      binary: 'deny',
      tests: 'keep',
      content: [{ files: '**', forbidden: 'never' }],
    })
    expect((await judge(policy, work)).map(({ rule, file }) => `${rule} ${file}`)).toEqual([
      'binary long.test.ts',
    ])
    expect(work.asked.reads.filter((read) => read === 'head:a.test.ts')).toHaveLength(1)
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

describe('what defines checks is read in seconds of processor time, whatever it is', () => {
  const names = [
    'conftest.py',
    'tasks.py',
    'setup.py',
    'requirements.txt',
    'CMakeLists.txt',
    'build.gradle',
    'go.mod',
  ]
  const parts = [
    '\n',
    '\n  ',
    ' ',
    '#[[',
    '#[[\n',
    '# a\n',
    'a(',
    '((',
    'def pytest_runtest_call(',
    'from ',
    'dependencies {\n',
  ]
  test.each(names)('%s', async (name) => {
    const before = process.cpuUsage().user
    for (const part of parts) {
      const text = part.repeat(Math.ceil(300_000 / part.length))
      await brokenBy({ protect: 'default' }, workOf({ [name]: 'a\n' }, { [name]: text }))
    }
    expect(process.cpuUsage().user - before).toBeLessThan(12_000_000)
  })
})
