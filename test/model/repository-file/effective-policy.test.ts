import { describe, expect, test } from 'vitest'
import * as fc from 'fast-check'
import { judge } from '../../../src/model/policy/judge.ts'
import { policySchema, type Policy } from '../../../src/model/policy/schema.ts'
import { strictest } from '../../../src/model/policy/strictest.ts'
import { effectivePolicy } from '../../../src/model/repository-file/effective-policy.ts'
import { scriptsOf } from '../../../src/model/repository-file/command-scripts.ts'
import { repositoryFileJsonSchema } from '../../../src/model/repository-file/json-schema.ts'
import { repositoryFileSchema } from '../../../src/model/repository-file/repository-file.ts'
import { executable, symlink, workOf } from '../policy/work-of.ts'

const policy = (keys: unknown): Policy => policySchema.parse(keys)
const work = workOf(
  { 'src/b.test.ts': "it('b', () => { expect(b).toBe(1) })", 'package.json': '{"scripts":{"test":"a"}}' },
  {
    'src/a.ts': '1\n2\n3\n',
    'src/x.bin': '\0',
    'bin/run': executable('x'),
    'src/link': symlink('../docs'),
    'docs/a.md': 'text',
    'package.json': '{"scripts":{"test":"b"}}',
  },
  { secretFindings: [{ file: 'src/a.ts', line: 1, commit: null, kind: 'token' }] },
)

describe('two policies at once', () => {
  test('each key takes the stricter of both', () => {
    const both = strictest(
      policy({
        allow: ['src/**'],
        deny: ['a'],
        maxFiles: 5,
        tests: 'free',
        symlinks: 'allow',
        binary: 'deny',
        protect: ['p'],
      }),
      policy({
        allow: ['src/x/**', 'docs/**'],
        deny: ['b'],
        maxFiles: 9,
        maxLines: 3,
        tests: 'keep',
        symlinks: 'inside',
        binary: 'allow',
      }),
    )
    expect(both).toMatchObject({
      allow: [['src/**'], ['src/x/**', 'docs/**']],
      deny: ['a', 'b'],
      maxFiles: 5,
      maxLines: 3,
      tests: 'keep',
      symlinks: 'inside',
      binary: 'deny',
      protect: [{ globs: ['p'] }, { globs: [], defaults: true }],
    })
  })

  test('a path must be allowed by both', async () => {
    const both = strictest(policy({ allow: ['src/**'] }), policy({ allow: ['src/x/**', 'docs/**'] }))
    const found = await judge(both, workOf({}, { 'src/a': '', 'docs/a': '', 'src/x/a': '' }))
    expect(found.map(({ file }) => file)).toEqual(['docs/a', 'src/a'])
  })

  test('a repository cannot lift what the operator protects', async () => {
    const both = strictest(
      policy({ allow: ['package.json'], protect: [] }),
      policy({ protect: ['package.json'] }),
    )
    expect((await judge(both, workOf({}, { 'package.json': '{}' }))).map(({ rule }) => rule)).toEqual([
      'protect',
    ])
  })

  test.each([
    ['the repository', {}, { protect: [] }, 'under policy.allow in .nightshift.yaml.'],
    ['the operator', { protect: [] }, {}, 'under allow in the operator’s own policy (NIGHTSHIFT_POLICY).'],
    ['both', {}, {}, 'in .nightshift.yaml and under allow in the operator’s own policy (NIGHTSHIFT_POLICY).'],
  ])('what %s protects says where a person can let it change', async (_who, repository, operator, where) => {
    const both = strictest(policy(repository), policy(operator))
    for (const change of [{ 'tsconfig.json': '{}' }, { 'package.json': '{"scripts":{"test":"x"}}' }]) {
      const [found] = await judge(both, workOf({}, change))
      expect(found?.message).toMatch(
        new RegExp(`naming exactly this path .*${where.replace(/[().]/g, '\\$&')}$`),
      )
    }
  })

  test('whatever the repository says, it never lets through what the operator alone would stop', async () => {
    const permission = fc.constantFrom('allow', 'deny')
    const limit = fc.constantFrom(0, 2, 100)
    const globs = fc.subarray(['src/**', 'docs', '**', 'package.json', '**/*.md'])
    const keys = fc.record(
      {
        allow: globs,
        deny: globs,
        maxFiles: limit,
        maxLines: limit,
        maxFileBytes: limit,
        tests: fc.constantFrom('keep', 'free'),
        binary: permission,
        executable: permission,
        symlinks: fc.constantFrom('inside', 'deny', 'allow'),
        secrets: permission,
        protect: fc.oneof(fc.constant('default'), globs),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(keys, keys, async (repository, operator) => {
        const alone = await judge(policy(operator), work)
        const both = await judge(strictest(policy(repository), policy(operator)), work)
        const rules = new Set(both.map(({ rule, file }) => `${rule} ${file}`))
        for (const { rule, file } of alone) expect(rules).toContain(`${rule} ${file}`)
      }),
      { numRuns: 300 },
    )
  })
})

describe('the policy of a repository', () => {
  const change = workOf({ 'tsconfig.json': '{}' }, { 'tsconfig.json': '{"a":1}', '.nightshift.yaml': '' })
  const files = async (file: unknown, operator: Policy | null = null) => {
    const parsed = file === null ? null : repositoryFileSchema.parse(file)
    return (await judge(effectivePolicy(parsed, operator), change)).map((violation) => violation.file)
  }
  const checks = [{ name: 'a', run: 'b' }]

  test('what defines checks is protected wherever somebody wrote rules, the file itself always', async () => {
    expect(await files({ checks })).toEqual(['.nightshift.yaml', 'tsconfig.json'])
    expect(await files({})).toEqual(['.nightshift.yaml', 'tsconfig.json'])
    expect(await files(null)).toEqual(['.nightshift.yaml'])
    expect(await files(null, policy({}))).toEqual(['.nightshift.yaml', 'tsconfig.json'])
    expect(await files(null, policy({ protect: ['*.json'] }))).toEqual(['.nightshift.yaml', 'tsconfig.json'])
  })

  test('what is allowed by its exact path may change all the same', async () => {
    const allow = ['tsconfig.json', '.nightshift.yaml']
    expect(await files({ checks, policy: { allow } })).toEqual([])
    expect(await files({ checks, policy: { allow: ['*.json', '.nightshift.yaml'] } })).toEqual([
      'tsconfig.json',
    ])
    expect(await files({ checks, policy: { allow } }, policy({}))).toEqual([
      '.nightshift.yaml',
      'tsconfig.json',
    ])
  })
})

describe('the scripts that a check runs', () => {
  test.each<[command: string, scripts: string[]]>([
    ['./check.sh', ['check.sh']],
    ['sh ci/lint.sh && npm test', ['ci/lint.sh']],
    ['bash -eu ./ci/lint', ['ci/lint']],
    [
      'CI=1 exec "./bin/check" {files}; node scripts/check.js --all | tee log',
      ['bin/check', 'scripts/check.js'],
    ],
    ['(cd x; . ./env) && ./go', ['x/env', 'go']],
    ['cd x && ./go.sh', ['x/go.sh']],
    ['cd "x/y/" && cd .. && ./go.sh; ../top.sh', ['x/go.sh', 'top.sh']],
    ['cd $HERE && ./go.sh', []],
    ['cd .. && ./go.sh', []],
    ['cd /srv && ./go.sh', []],
    ['if ! ./check.sh; then ./more.sh; fi', ['check.sh', 'more.sh']],
    ['./a/../b.sh', ['b.sh']],
    ['npm test', []],
    ['node --test test/a.test.js', []],
    ['python -m pytest tests/a.py', []],
    ['sh -c "exit 0" x', []],
    ['sh -c ./check.sh', ['check.sh']],
    ['/usr/bin/make', []],
    ['../outside.sh', []],
    ['$SCRIPT/x', []],
    ['', []],
  ])('%j: %j', (command, scripts) => {
    expect(scriptsOf(command)).toEqual(scripts)
  })

  test('are those of package.json, too, and what these run in turn; but tests and other scripts are not', async () => {
    const file = repositoryFileSchema.parse({
      setup: 'npm ci',
      checks: [
        { name: 'test', run: 'npm test' },
        { name: 'web', run: 'cd web && CI=1 yarn run --silent lint' },
      ],
    })
    const scripts = {
      pretest: 'sh ci/before.sh',
      test: 'npm run unit && node scripts/test.js && node test.js && node test/all.js',
      unit: './ci/unit.sh',
      postinstall: 'node scripts/patch.js',
      start: 'node src/server.js',
    }
    const base = {
      'package.json': JSON.stringify({ scripts }),
      'web/package.json': JSON.stringify({ scripts: { lint: './lint.sh && npm test' } }),
    }
    const changed = ['ci/before.sh', 'ci/unit.sh', 'scripts/patch.js', 'scripts/test.js', 'web/lint.sh']
    const free = ['test.js', 'test/all.js', 'src/server.js', 'lint.sh']
    const head = { ...base, ...Object.fromEntries([...changed, ...free].map((path) => [path, 'x'])) }
    const found = await judge(effectivePolicy(file, null), workOf(base, head))
    expect(found.map((violation) => violation.file)).toEqual(changed)
    const broken = { ...base, 'package.json': '{' }
    expect(await judge(effectivePolicy(file, null), workOf(broken, { ...broken, 'ci/unit.sh': '' }))).toEqual(
      [],
    )
  })

  test('are protected as the rest of what defines the checks', async () => {
    const file = repositoryFileSchema.parse({
      setup: 'sh ci/setup',
      checks: [{ name: 'a', run: './ci/check' }],
    })
    const change = workOf({ 'ci/check': 'exit 1' }, { 'ci/check': 'exit 0', 'ci/setup': '', 'ci/other': '' })
    const found = await judge(effectivePolicy(file, null), change)
    expect(found.map((violation) => violation.file)).toEqual(['ci/check', 'ci/setup'])
  })
})

describe('the JSON Schema', () => {
  const schema = repositoryFileJsonSchema()

  test('describes every key, refuses others, and says what counts where one is left out', () => {
    const text = JSON.stringify(schema)
    expect(schema).toMatchObject({ type: 'object', additionalProperties: false, title: '.nightshift.yaml' })
    expect(schema).not.toHaveProperty('required')
    expect(text).toContain('Where left out: allow: everything')
    for (const key of ['image', 'setup', 'checks', 'policy', 'fixRounds', 'network']) {
      expect(schema).toHaveProperty(['properties', key, 'description'])
    }
  })
})
