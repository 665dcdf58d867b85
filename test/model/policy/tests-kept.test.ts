import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judge } from '../../../src/model/policy/judge.ts'
import { policySchema } from '../../../src/model/policy/schema.ts'
import { languages } from '../../../src/model/policy/tests-kept/languages.ts'
import { mask } from '../../../src/model/policy/tests-kept/mask.ts'
import { summarize } from '../../../src/model/policy/tests-kept/summary.ts'
import { held } from './edits-held.ts'
import { honestTests } from './honest-tests.ts'
import { asStrong, files, js, sources, weaker, type Edit, type Kind } from './test-edits.ts'
import { workOf, type Files } from './work-of.ts'

const policy = policySchema.parse({ tests: 'keep' })

async function messages(base: Files, head: Files): Promise<string[]> {
  return (await judge(policy, workOf(base, head))).map(({ rule, message }) => `${rule}: ${message}`)
}

function edited([kind, , from, to]: Edit): string {
  const after = sources[kind].replace(from, to)
  if (after === sources[kind]) throw new Error('this edit changes nothing')
  return after
}

describe('tests: keep', () => {
  test.each([...weaker, ...held])('%s: %s', async (...edit) => {
    const [kind] = edit
    const found = await messages({ [files[kind]]: sources[kind] }, { [files[kind]]: edited(edit) })
    expect(found.join('\n')).toMatch(/^tests: /)
  })

  test.each(asStrong)('%s, which is fine: %s', async (...edit) => {
    const [kind] = edit
    expect(await messages({ [files[kind]]: sources[kind] }, { [files[kind]]: edited(edit) })).toEqual([])
  })

  test.each(honestTests)('%s', async (_what, base, head) => {
    expect(await messages(base, head)).toEqual([])
  })

  test('tests that become one table are refused, since cases are not counted', async () => {
    const table =
      "it.each([[1, 2, 3], [2, 2, 4]])('adds', (a, b, sum) => {\n    expect(add(a, b)).toBe(sum)\n  })"
    const head = { 'a.test.ts': js.replace(/it\('adds'[\s\S]*?toBe\(4\)\n {2}\}\)/, table) }
    expect((await messages({ 'a.test.ts': js }, head)).join()).toContain('had 2 assertions')
  })

  test('a new assertion does not make up for one that is gone', async () => {
    const more = "it('adds nothing', () => {\n    expect(add(0, 0)).toBe(0)\n  })\n  it('adds'"
    const head = js.replace('    expect(add(2, 2)).toBe(4)\n', '').replace("it('adds'", more)
    expect((await messages({ 'a.test.ts': js }, { 'a.test.ts': head })).join()).toContain('"adds" had 2')
  })

  test.each(Object.keys(files) as Kind[])(
    '%s: a deleted file is a test lost for each of its tests',
    async (kind) => {
      const found = await messages({ [files[kind]]: sources[kind] }, {})
      expect(found.length).toBeGreaterThanOrEqual(2)
      expect(found.every((message) => message.includes('is gone'))).toBe(true)
    },
  )

  test('a test may move to another file, with its skip, but not lose an assertion on the way', async () => {
    const skipped = js.replace("it('adds'", "it.skip('adds'")
    const moved = (text: string) => messages({ 'test/a.test.ts': skipped }, { 'test/deep/b.test.ts': text })
    expect(await moved(skipped)).toEqual([])
    const stripped = await moved(skipped.replace('    expect(add(2, 2)).toBe(4)\n', ''))
    expect(stripped).toHaveLength(1)
    expect(stripped[0]).toContain('"adds" had 2 assertions')
  })

  const away: [from: string, to: string, kind: Kind][] = [
    ['test/sum.test.ts', 'test/fixtures/sum.ts', 'js'],
    ['test/sum.test.ts', 'node_modules/x/sum.test.ts', 'js'],
    ['tests/test_sum.py', 'tests/sum.py', 'py'],
    ['tests/test_sum.py', 'build/tests/test_sum.py', 'py'],
    ['sum_test.go', 'sum_windows_test.go', 'go'],
    ['sum_test.go', 'testdata/sum_test.go', 'go'],
    ['sum_test.go', '_old/sum_test.go', 'go'],
    ['src/test/java/SumTest.java', 'src/test/java/SumHelper.java', 'java'],
    ['src/test/java/SumTest.java', 'src/test/java/SumIT.java', 'java'],
    ['src/test/java/SumTest.java', 'src/main/java/SumTest.java', 'java'],
  ]
  test.each(away)('a test that moves from %s to %s is lost', async (from, to, kind) => {
    const found = await messages({ [from]: sources[kind] }, { [to]: sources[kind] })
    expect(found.join('\n')).toContain('is gone')
  })

  test.each([
    ['test/sum.test.ts', 'test/deep/total.spec.ts', 'js'],
    ['tests/test_sum.py', 'tests/deep/sum_test.py', 'py'],
    ['sum_test.go', 'deep/total_linux_test.go', 'go'],
    ['src/test/java/SumTest.java', 'src/test/java/deep/TotalTests.java', 'java'],
  ] as typeof away)('a test that moves from %s to %s is kept', async (from, to, kind) => {
    expect(await messages({ [from]: sources[kind] }, { [to]: sources[kind] })).toEqual([])
  })

  test('a module of tests in a file of its own stays named', async () => {
    const tests = { 'src/tests.rs': '#[test]\nfn a() { assert!(x()); }\n' }
    const lib = 'pub mod b;\n#[cfg(test)]\npub(crate) mod tests;\n'
    const base = { ...tests, 'src/lib.rs': lib }
    const found = await messages(base, { ...tests, 'src/lib.rs': 'pub mod b;\n' })
    expect(found.join()).toContain('"tests" (line 2 of src/lib.rs at the base) is gone')
    expect(await messages(base, { ...tests, 'src/lib.rs': lib.replace('pub mod b', 'pub mod c') })).toEqual(
      [],
    )
  })

  test('a test without assertions may change, but not be emptied', async () => {
    const smoke = "it('draws', async () => {\n  await draw()\n})\n"
    const edit = (to: string) =>
      messages({ 'a.test.ts': smoke }, { 'a.test.ts': smoke.replace('await draw()', to) })
    expect(await edit('await draw(2)')).toEqual([])
    expect((await edit('// later')).join()).toContain('does nothing any more')
  })

  test('a skip that was there cannot be lent to another test', async () => {
    const base = { 'test/a.test.ts': js.replace("it('adds'", "it.skip('adds'") }
    const head = { 'test/a.test.ts': js.replace('it("takes away"', 'it.skip("takes away"') }
    expect((await messages(base, head)).join()).toContain('skips a test')
    const inside = (text: string) => ({ 'test/a.test.ts': js.replace(text, `this.skip()\n    ${text}`) })
    const found = await messages(inside('expect(add(1, 2))'), inside('await expect(sub'))
    expect(found).toHaveLength(1)
    expect(found[0]).toContain('line 8 skips a test')
  })

  test('the lines are shown', async () => {
    const [message] = await messages(
      { [files.js]: js },
      { [files.js]: edited(['js', '', "it('adds'", "it.skip('adds'"]) },
    )
    expect(message).toContain(`${files.js}, line 3 skips a test`)
    expect(message).toContain("it.skip('adds', () => {")
  })

  test('helpers keep their assertions, also when they move', async () => {
    const helper = 'export function same(a) {\n  assert.ok(a)\n}\n'
    expect(
      (
        await messages({ 'test/help.ts': helper }, { 'test/help.ts': helper.replace('assert.ok(a)', '') })
      ).join(),
    ).toContain('outside of its tests')
    expect(await messages({ 'test/help.ts': helper }, { 'test/other.ts': helper })).toEqual([])
  })

  test('a file that became too large to be judged is refused', async () => {
    const found = await messages({ [files.js]: js }, { [files.js]: js + ' '.repeat(1_000_001) })
    expect(found.join()).toContain('too many to see')
  })

  test('with tests: free nothing is read', async () => {
    const work = workOf({ [files.js]: js }, {})
    expect(await judge(policySchema.parse({}), work)).toEqual([])
    expect(work.asked.reads).toEqual([])
  })

  const codeParts = [
    '"',
    "'",
    '`',
    '${',
    '}',
    '{',
    '/',
    '*',
    '/*',
    '*/',
    '//',
    '\\',
    '\n',
    '#',
    'r#"',
    '"#',
    '"""',
    "'''",
    'a',
    ' ',
    '(',
    ')',
    'it(',
    'expect(',
    '[',
    ']',
    'return',
  ]
  const anyCode = fc.array(fc.constantFrom(...codeParts), { maxLength: 60 }).map((parts) => parts.join(''))

  test('masked code has the length and the lines of the code, whatever it is', () => {
    fc.assert(
      fc.property(anyCode, fc.constantFrom(...languages), (code, language) => {
        const masked = mask(code, language.strings)
        expect(masked.length).toBe(code.length)
        expect([...masked.matchAll(/\n/g)].map(({ index }) => index)).toEqual(
          [...code.matchAll(/\n/g)].map(({ index }) => index),
        )
      }),
      { numRuns: 3000 },
    )
  })

  const hostile = [
    '/[',
    '"',
    '`${',
    '/*',
    'r#"',
    '{ skip ',
    'it ',
    'it.a',
    'expect(',
    'function ',
    'import ',
    'def test(',
    'func Test(',
    '#[cfg(',
    'assert ',
    '@Test ',
    '@x\n',
    "'\\",
    '()',
    'Runtime ',
    'it.skip(',
    'assert(a,',
    'assert ( ',
    'import pytest ',
    'except: ',
    'try: assert ',
    'a *T, ',
    'it(a,(t',
    'x := t\n',
    ' ',
    '\n',
    '\n    ',
    '// a\n',
    'collect_ignore',
    '#[cfg(any(',
    ')\nexpect(',
    'except Exception:expect(a).resolves',
    'describe.',
    '= ',
  ]
  test.each(hostile)(
    'half a megabyte of %j is read in seconds of processor time, by every language',
    (part) => {
      const code = part.repeat(Math.ceil(500_000 / part.length))
      const before = process.cpuUsage().user
      for (const language of languages) summarize(language, 'tests/x', code)
      expect(process.cpuUsage().user - before).toBeLessThan(8_000_000)
    },
  )
})
