import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkCommand, maxCommandBytes } from '../../../src/model/repository-file/check-command.ts'
import { checkSchema, type Check } from '../../../src/model/repository-file/check.ts'
import { shellQuote } from '../../../src/model/repository-file/shell-quote.ts'

const execute = promisify(execFile)

function check(run: string, files?: readonly string[]): Check {
  return checkSchema.parse({ name: 'lint', run, ...(files === undefined ? {} : { files }) })
}

/** What a real shell hands to a program for the files of a check. */
async function seenByShell(files: readonly string[]): Promise<string[]> {
  const made = checkCommand(check("printf '%s\\0' {files}"), files)
  if (made.skipped) throw new Error('skipped')
  const seen: string[] = []
  for (const command of made.commands) {
    const { stdout } = await execute('/bin/sh', ['-c', command], { env: {}, maxBuffer: 10_000_000 })
    seen.push(...stdout.split('\0').slice(0, -1))
  }
  return seen
}

describe('the command of a check', () => {
  test('has the changed files that match, and is skipped when none do', () => {
    const lint = check('npx oxlint {files} --deny-warnings', ['**/*.ts'])
    expect(checkCommand(lint, ['src/a.ts', 'b.md', '.x/c.ts', 'src/a.ts'])).toEqual({
      skipped: false,
      commands: ['npx oxlint src/a.ts .x/c.ts --deny-warnings'],
      files: ['src/a.ts', '.x/c.ts'],
    })
    expect(checkCommand(lint, ['b.md', 'A.TS'])).toEqual({ skipped: true })
    expect(checkCommand(lint, [])).toEqual({ skipped: true })
  })

  test('takes all changed files where only {files} is given, and fills in every place', () => {
    expect(checkCommand(check('a {files} && b {files}'), ['x', 'y z'])).toMatchObject({
      commands: ["a x 'y z' && b x 'y z'"],
    })
  })

  test('runs once as it is where files are given without {files}, and always where neither is', () => {
    expect(checkCommand(check('npm test', ['src/**']), ['src/a', 'b'])).toEqual({
      skipped: false,
      commands: ['npm test'],
      files: ['src/a'],
    })
    expect(checkCommand(check('npm test', ['src/**']), ['b'])).toEqual({ skipped: true })
    expect(checkCommand(check('npm test'), [])).toEqual({ skipped: false, commands: ['npm test'], files: [] })
  })

  test('is several commands where the names are too many for one, none too long, none lost', () => {
    const files = Array.from({ length: 3000 }, (_, index) => `${'long name/'.repeat(20)}${index}`)
    const made = checkCommand(check('lint {files} && again {files}'), files)
    if (made.skipped) throw new Error('skipped')
    expect(made.commands.length).toBeGreaterThan(10)
    for (const command of made.commands)
      expect(Buffer.byteLength(command)).toBeLessThanOrEqual(maxCommandBytes)
    expect(made.commands.reduce((sum, command) => sum + command.split('long name').length - 1, 0)).toBe(
      3000 * 20 * 2,
    )
  })

  test('names reach the program as they are, whatever a shell would make of them', async () => {
    const files = [
      'a b',
      "it's",
      '$(touch x)',
      '`id`',
      '"',
      '\\',
      'a\nb',
      '*',
      '?',
      '~',
      '#x',
      '!x',
      'a;b',
      '&',
      '|',
      'é',
      '😀',
      '{a,b}',
      '$HOME',
      '%s',
      "'",
      "''",
      '\x01',
      '\u2028',
    ]
    const seen = await seenByShell(files)
    expect(seen.map((name) => name.replace(/^\.\//, ''))).toEqual(files)
  })

  test('no name can be taken for an option or a response file', async () => {
    const files = ['-rf', '--fix', '-', '@args', '+x', '=x', '~root', 'dir/-x']
    expect(await seenByShell(files)).toEqual([
      './-rf',
      './--fix',
      './-',
      './@args',
      './+x',
      './=x',
      './~root',
      'dir/-x',
    ])
  })

  test('any list of names goes through a real shell unharmed', async () => {
    const name = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 30 })
      // What git can hold and a publisher can name: valid text without NUL.
      .filter((text) => !text.includes('\0') && text.isWellFormed())
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(name, { minLength: 1, maxLength: 20 }), async (names) => {
        const seen = await seenByShell(names)
        expect(seen).toEqual(names.map((one, index) => (seen[index] === `./${one}` ? `./${one}` : one)))
      }),
      { numRuns: 50 },
    )
  })

  test('a plain name needs no quotes', () => {
    expect(shellQuote('src/a-b_c.test.ts')).toBe('src/a-b_c.test.ts')
  })
})
