import * as fc from 'fast-check'
import picomatch from 'picomatch'
import { describe, expect, test } from 'vitest'
import { globFault } from '../../../src/model/policy/glob.ts'
import { judge } from '../../../src/model/policy/judge.ts'
import { policySchema } from '../../../src/model/policy/schema.ts'
import { parseRepositoryFile } from '../../../src/model/repository-file/parse.ts'
import { effectivePolicy } from '../../../src/model/repository-file/effective-policy.ts'
import { honest } from './honest-work.ts'
import { base, text, tricks } from './tricks.ts'
import { executable, submodule, symlink, workOf, type Files } from './work-of.ts'

const parsed = parseRepositoryFile(text)
if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults))
const policy = effectivePolicy(parsed.file, null)

describe('an agent that wants to get past the gate', () => {
  test.each(tricks)('%s', async (_what, change, rule) => {
    const head = Object.fromEntries(
      Object.entries({ ...base, ...change }).filter(
        (entry): entry is [string, Files[string]] => entry[1] !== undefined,
      ),
    )
    const violations = await judge(policy, workOf(base, head))
    expect(violations.map((one) => one.rule)).toContain(rule)
  })

  test.each(honest)('honest work passes: %s', async (_what, change) => {
    expect(await judge(policy, workOf(base, { ...base, ...change }))).toEqual([])
  })

  test('what is denied is denied by every name that links give it', async () => {
    const denying = (...deny: string[]) => policySchema.parse({ deny })
    const found = async (deny: string, before: Files, after: Files) =>
      (await judge(denying(deny), workOf(before, after)))
        .filter(({ rule }) => rule === 'deny')
        .map(({ file }) => file)
    const linked = { 'config/prod': symlink('../lib/prod'), 'lib/prod/db.yaml': '1', 'lib/a.yaml': '1' }
    // Through a link that was there, through a new one, and by what a link leads to now.
    expect(await found('config/prod/**', linked, { ...linked, 'lib/prod/db.yaml': '2' })).toEqual([
      'lib/prod/db.yaml',
    ])
    expect(
      await found(
        'config/prod/*.yaml',
        { 'lib/p/x.yaml': '1' },
        { 'lib/p/x.yaml': '1', 'config/prod': symlink('../lib/p') },
      ),
    ).toEqual(['config/prod'])
    expect(
      await found(
        'config/*/*.yaml',
        { 'lib/p/x.yaml': '1' },
        { 'lib/p/x.yaml': '1', config: symlink('lib') },
      ),
    ).toEqual(['config'])
    expect(await found('config/prod/**', linked, { ...linked, 'lib/a.yaml': '2' })).toEqual([])
    expect(
      await found(
        'x/**',
        { a: symlink('.'), b: symlink('a'), c: '1' },
        { a: symlink('.'), b: symlink('a'), c: '2' },
      ),
    ).toEqual([])
    expect(
      await found('a/b/c', { a: symlink('.'), c: '1' }, { a: symlink('.'), b: symlink('.'), c: '2' }),
    ).toContain('c')
  })

  const names = fc.constantFrom('a', 'b', 'src', 'secret', 'A', 'x.lock', '.env', 'ü', '[id]', 'a b')
  const path = fc.array(names, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
  const glob = fc
    .array(
      fc.oneof(
        names.map((name) => name.replace(/[[\]]/g, '\\\\$&')),
        fc.constantFrom('*', '**', '*.lock', 's*', '{a,b}'),
      ),
      {
        minLength: 1,
        maxLength: 4,
      },
    )
    .map((parts) => parts.join('/'))
    // Whether a folder itself is meant by what ends so depends on the kind of wildcard in picomatch.
    .filter((one) => globFault(one) === null && !/[*\]}][^/]*\/\*\*$/.test(one))

  test('no generated diff passes deny with a path that a glob of it names, whatever else is in it', async () => {
    const content = fc.constantFrom<Files[string]>('', 'x', 'y\0', executable('x'), symlink('src'), submodule)
    const tree = fc.dictionary(path, content, { maxKeys: 8, noNullPrototype: true })
    await fc.assert(
      fc.asyncProperty(
        fc.array(glob, { minLength: 1, maxLength: 4 }),
        tree,
        tree,
        async (deny, before, after) => {
          const work = workOf(before, after)
          const found = await judge(policySchema.parse({ deny }), work)
          const files = new Set(found.filter(({ rule }) => rule === 'deny').map(({ file }) => file))
          const isDenied = picomatch(deny, { dot: true })
          for (const change of work.changes) {
            if (isDenied(change.path))
              expect(files, `${change.path} by ${deny.join(' ')}`).toContain(change.path)
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  test('no generated path below a denied folder passes, however it is spelt', async () => {
    const spellings: Record<string, readonly string[]> = {
      s: ['s', 'S', '\u0455', '\uff53', '\u017f'],
      e: ['e', 'E', '\u0435', '\uff45'],
      c: ['c', 'C', '\u0441', '\u217d'],
      r: ['r', 'R', '\uff32'],
      t: ['t', 'T', '\uff54'],
      '/': ['/', '\\', '\u2215', '\uff0f', '\u2044', './', ' /', '. /'],
    }
    const invisible = fc.constantFrom('', '', '', '\u200b', '\u200d', '\ufeff', '\u00ad', '\ufe0f')
    const spelt = fc
      .tuple(
        ...Array.from('src/secret/', (letter) =>
          fc.tuple(fc.constantFrom(...(spellings[letter] ?? [letter])), invisible),
        ),
      )
      .map((letters) => letters.flat().join(''))
    const name = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 20 })
      .filter((one) => !one.includes('\0'))
    await fc.assert(
      fc.asyncProperty(spelt, name, async (folder, file) => {
        const violations = await judge(policy, workOf({}, { [folder + file]: '' }))
        expect(violations.map((one) => one.rule)).toContain('deny')
      }),
      { numRuns: 500 },
    )
  })
})
