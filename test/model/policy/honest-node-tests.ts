import { js } from './test-edits.ts'
import type { Files } from './work-of.ts'

/** Everyday changes of tests in JavaScript that hold as much afterwards. */
export const honestNodeTests: [what: string, base: Files, head: Files][] = [
  [
    'JavaScript: an iterator skips',
    { 'a.test.ts': js },
    {
      'a.test.ts': js.replace(
        'expect(add(2, 2))',
        'context.skip(2)\n    t.skip(offset)\n    expect(add(2, 2))',
      ),
    },
  ],
  [
    'JavaScript: a task of the product is skipped',
    { 'a.test.ts': js },
    {
      'a.test.ts': js.replace(
        'expect(add(2, 2))',
        'const task = queue.take()\n    task.skip()\n    expect(add(2, 2))',
      ),
    },
  ],
  [
    'JavaScript: a list is skipped in a chain',
    { 'a.test.ts': js },
    {
      'a.test.ts': js.replace(
        'expect(add(2, 2))',
        'expect(context.skip(2).take(1)).toEqual([])\n    expect(add(2, 2))',
      ),
    },
  ],
  [
    'JavaScript: the exit code is put back',
    { 'a.test.ts': js },
    {
      'a.test.ts': js.replace(
        "  it('adds'",
        "  afterEach(() => {\n    process.exitCode = undefined\n  })\n  it('adds'",
      ),
    },
  ],
  [
    'JavaScript: the exit code is put back to what it was',
    { 'a.test.ts': js },
    {
      'a.test.ts': js.replace(
        "  it('adds'",
        "  const exitCodeBefore = process.exitCode\n  afterEach(() => {\n    process.exitCode = exitCodeBefore\n  })\n  it('adds'",
      ),
    },
  ],
  [
    'JavaScript: the exit code is asked',
    { 'a.test.ts': js },
    {
      'a.test.ts': js.replace(
        "  it('adds'",
        "  it('ends', () => { main(); expect(process.exitCode).toBe(2) })\n  it('adds'",
      ),
    },
  ],
  [
    'JavaScript: a program under test is run',
    { 'a.test.ts': js },
    {
      'a.test.ts': js.replace(
        "  it('adds'",
        "  it('ends', () => { expect(run('process.exit(3)').status).toBe(3) })\n  it('adds'",
      ),
    },
  ],
  [
    'JavaScript: process.exit is watched',
    { 'a.test.ts': js },
    {
      'a.test.ts': js.replace(
        "  it('adds'",
        "  it('ends', () => { const exit = vi.spyOn(process, 'exit').mockImplementation(() => {}); main(); expect(exit).toHaveBeenCalled() })\n  it('adds'",
      ),
    },
  ],
  [
    'JavaScript: a child is ended',
    { 'a.test.ts': js },
    {
      'a.test.ts': js.replace(
        "  it('adds'",
        "  afterAll(() => {\n    process.kill(child.pid)\n  })\n  it('adds'",
      ),
    },
  ],
  [
    'JavaScript: a test in a folder of its own',
    { 'test/a.test.ts': js, 'src/a.ts': '1' },
    { 'src/sums/a.test.ts': js, 'src/sums/a.ts': '1' },
  ],
  [
    'JavaScript: one file becomes two',
    { 'test/a.test.ts': js },
    {
      'test/adds.test.ts': js.replace(/ {2}it\("takes[\s\S]*?\n {2}\}\)\n/, ''),
      'test/takes.test.ts': js.replace(/ {2}it\('adds[\s\S]*?\n {2}\}\)\n/, ''),
    },
  ],
  [
    'JavaScript: two files become one',
    {
      'test/adds.test.ts': js.replace(/ {2}it\("takes[\s\S]*?\n {2}\}\)\n/, ''),
      'test/takes.test.ts': js.replace(/ {2}it\('adds[\s\S]*?\n {2}\}\)\n/, ''),
    },
    { 'test/a.test.ts': js },
  ],
  [
    'JavaScript: one test becomes two',
    { 'test/a.test.ts': js },
    {
      'test/a.test.ts': js.replace(
        '    expect(add(2, 2))',
        "  })\n  it('adds more', () => {\n    expect(add(2, 2))",
      ),
    },
  ],
  [
    'JavaScript: it becomes test',
    { 'test/a.test.ts': js },
    { 'test/a.test.ts': js.replaceAll('it(', 'test(') },
  ],
  [
    'JavaScript: chai becomes assert',
    { 'test/a.test.ts': js },
    { 'test/a.test.ts': js.replace('expect(add(1, 2)).toBe(3)', 'assert.equal(add(1, 2), 3)') },
  ],
  [
    'JavaScript: a helper for tests is renamed',
    {
      'test/a.test.ts': js.replaceAll('add(', 'plus('),
      'test/helpers.ts': 'export function checkSum(a) {\n  assert.ok(a)\n}\n',
    },
    { 'test/a.test.ts': js, 'test/support.ts': 'export function assertSum(a) {\n  assert.ok(a)\n}\n' },
  ],
  [
    'JavaScript: an assertion moves into a helper that is called',
    { 'test/a.test.ts': js },
    {
      'test/a.test.ts': js
        .replace(
          "describe('sums'",
          "function expectSum(a, b, sum) {\n  expect(add(a, b)).toBe(sum)\n}\ndescribe('sums'",
        )
        .replace('expect(add(1, 2)).toBe(3)', 'expectSum(1, 2, 3)')
        .replace('expect(add(2, 2)).toBe(4)', 'expectSum(2, 2, 4)'),
    },
  ],
  [
    'JavaScript: done is told of a failure',
    { 'test/a.test.ts': js },
    {
      'test/a.test.ts': js.replace(
        "  it('adds'",
        "  it('later', (done) => {\n    later((x) => {\n      try {\n        expect(x).toBe(1)\n        done()\n      } catch (error) {\n        done(error)\n      }\n    })\n  })\n  it('adds'",
      ),
    },
  ],
  [
    'JavaScript: a failure is looked at',
    { 'test/a.test.ts': js },
    {
      'test/a.test.ts': js.replace(
        "  it('adds'",
        "  it('fails', async () => {\n    try {\n      await boom()\n      expect.unreachable()\n    } catch (error) {\n      expect(error.code).toBe('X')\n    }\n  })\n  it('adds'",
      ),
    },
  ],
  [
    'JavaScript: a stub does nothing',
    { 'test/a.test.ts': js },
    {
      'test/a.test.ts': js.replace(
        "  it('adds'",
        "  const stub = { log: () => { return }, test: (x) => x }\n  it('adds'",
      ),
    },
  ],

  [
    'JavaScript: new tests that run on some systems only',
    { 'a.test.ts': js },
    {
      'a.test.ts': js.replace(
        "  it('adds'",
        "  it.skipIf(isWindows)('new', () => { expect(add(0, 0)).toBe(0) })\n  it('optional', { skip: isWindows }, () => { expect(add(0, 0)).toBe(0) })\n  it('newer', (t) => {\n    if (isWindows) t.skip('x')\n    expect(add(0, 0)).toBe(0)\n  })\n  it('adds'",
      ),
    },
  ],
]
