import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judge } from '../../../src/model/policy/judge.ts'
import { parseRepositoryFile } from '../../../src/model/repository-file/parse.ts'
import { effectivePolicy } from '../../../src/model/repository-file/effective-policy.ts'
import { honest } from './honest-work.ts'
import { base, text, tricks } from './tricks.ts'
import { workOf, type Files } from './work-of.ts'

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
