import { describe, expect, test } from 'vitest'
import { newFailures, type CheckOutput } from '../../src/model/check-output.ts'

const output = (text: string, exitCode: number | null = 1): CheckOutput => ({
  exitCode,
  lines: text.split('\n'),
  whole: true,
})
const told = (base: string, head: string) => newFailures(output(base), output(head))

const pytest = (names: string[], counts: string) =>
  `F.\n${names.map((name) => `FAILED ${name} - AssertionError: assert 1 == 2`).join('\n')}\n=== ${counts} in 0.12s ===`
const cargo = (names: string[]) =>
  `${names.map((name) => `test ${name} ... FAILED`).join('\n')}\ntest ok ... ok\ntest result: FAILED. 1 passed; ${names.length} failed; 0 ignored; finished in 0.00s`
const tap = (names: string[]) =>
  `TAP version 13\n${names.map((name, at) => `not ok ${at + 1} - ${name}\n  ---\n  duration_ms: 1.5`).join('\n')}\n# pass 1\n# fail ${names.length}`
const vitest = (names: string[], suites: string[] = []) =>
  [
    ...(suites.length > 0 ? [`⎯⎯⎯ Failed Suites ${suites.length} ⎯⎯⎯`] : []),
    ...suites.map((name) => ` FAIL  ${name} [ ${name} ]`),
    `⎯⎯⎯ Failed Tests ${names.length} ⎯⎯⎯`,
    ...names.map((name) => ` FAIL  a.test.ts > ${name}\nAssertionError: ${Math.random()}`),
    `      Tests  ${names.length} failed | 3 passed (5)`,
  ].join('\n')
const go = (names: string[]) =>
  `${names.map((name) => `--- FAIL: ${name} (0.00s)\n    a_test.go:5: wrong`).join('\n')}\nFAIL\nFAIL\texample.org/x\t0.002s\nok  \texample.org/y\t0.001s`

describe('failures that the base has too', () => {
  test.each([
    [
      'pytest',
      pytest(['t.py::a'], '1 failed, 2 passed'),
      pytest(['t.py::a', 't.py::b'], '2 failed, 1 passed'),
      't.py::b',
    ],
    ['cargo', cargo(['a']), cargo(['a', 'b']), 'b'],
    ['tap', tap(['a']), tap(['b']), 'b'],
    ['vitest', vitest(['a']), vitest(['a', 'b > c']), 'a.test.ts > b > c'],
    ['go', go(['TestA']), go(['TestA', 'TestB']), 'TestB'],
  ])('%s: are told apart by the names of tests, whatever they print', (_runner, base, head, name) => {
    expect(told(base, head)).toEqual([name])
    expect(told(head, head)).toEqual([])
    expect(told(base, base.replaceAll('AssertionError', 'AssertionError: other words'))).toEqual([])
  })

  test('names count only where the runner’s own sum agrees, and nothing else went wrong', () => {
    expect(told(pytest(['a'], '1 failed'), pytest(['a'], '2 failed'))).not.toEqual([])
    expect(told(vitest(['a']), vitest(['a'], ['new.test.ts']))).not.toEqual([])
    expect(told(go(['TestA']), `${go(['TestA'])}\nFAIL\texample.org/z [build failed]`)).not.toEqual([])
    expect(told(cargo(['a']), `${cargo(['a'])}\nerror[E0308]: mismatched types`)).not.toEqual([])
    expect(newFailures(output(cargo(['a']), 101), output(`${cargo(['a'])}\nother words`, 1))).toEqual([
      'other words',
    ])
  })

  test('lines of a linter are told apart by how often they stand there, not by their places', () => {
    const base = 'src/a.ts:3:1: error no-console\nFound 1 error in 12ms.'
    expect(told(base, 'src/a.ts:9:4: error no-console\nFound 1 error in 7ms.')).toEqual([])
    expect(
      told(base, 'src/a.ts:9:4: error no-console\nsrc/a.ts:10:4: error no-console\nFound 2 errors in 7ms.'),
    ).toEqual(['src/a.ts:10:4: error no-console', 'Found 2 errors in 7ms.'])
    expect(told('Found 5 errors.', 'Found 1 error.')).toEqual([])
    expect(told(base, base.replace('a.ts', 'b.ts'))).toHaveLength(1)
    expect(told(`\u001b[31m${base}\u001b[0m`, base)).toEqual([])
  })

  test('a run that broke off says less than one that fails as before, and is not taken for it', () => {
    const unittest = (names: string[]) =>
      `${names.map((name) => `FAIL: ${name}\n----\nTraceback`).join('\n')}\nRan 2 tests in 0.001s\n\nFAILED (failures=${names.length})`
    expect(told(unittest(['test_a (t.T)']), unittest(['test_a (t.T)', 'test_b (t.T)']))).toEqual([
      'test_b (t.T)',
    ])
    expect(told(unittest(['test_a (t.T)']), unittest(['test_a (t.T)']))).toEqual([])
    // It ended before it printed anything, or after the first lines, which the base has, too.
    expect(told(unittest(['test_a (t.T)']), '')).toBeNull()
    expect(told(pytest(['a'], '1 failed'), 'F.')).toBeNull()
    expect(told('Found 1 error.', '')).toBeNull()
    expect(told('', '')).toEqual([])
    // Another exit code is another failure.
    expect(newFailures(output(cargo(['a']), 101), output(cargo(['a']), 1))).toBeNull()
    expect(newFailures(output('Found 1 error.', 1), output('Found 1 error.', 2))).toBeNull()
    expect(newFailures(output('Found 1 error.', 1), output('Found 1 error.', null))).toBeNull()
    // Fewer findings are fewer findings.
    expect(told('a.py:1: E501\nb.py:2: E302', 'b.py:2: E302')).toEqual([])
  })

  test('temporary names, addresses and times do not count', () => {
    expect(
      told('in /tmp/x.Ab12 at 0xdeadbeef took 1.2 s', 'in /tmp/x.Cd34 at 0xfeedface took 31 ms'),
    ).toEqual([])
  })

  test('what passes on the base, or cannot be compared whole, is new', () => {
    expect(newFailures(output('a', 0), output('a'))).toBeNull()
    expect(newFailures({ ...output('a'), whole: false }, output('a'))).toBeNull()
    expect(newFailures(output('a'), { ...output('a'), whole: false })).toBeNull()
  })
})
