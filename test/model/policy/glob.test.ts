import * as fc from 'fast-check'
import picomatch from 'picomatch'
import { describe, expect, test } from 'vitest'
import { globFault, looseMatcherOf, matcherOf } from '../../../src/model/policy/glob.ts'

describe('a glob', () => {
  const cases: [glob: string, path: string, matches: boolean][] = [
    ['src/**', 'src/a.ts', true],
    ['src/**', 'src/.hidden/a', true],
    ['src/**', 'srcs/a', false],
    ['**/*.ts', 'a.ts', true],
    ['**/*.ts', 'a/b/c.ts', true],
    ['*.md', 'docs/a.md', false],
    ['*.{ts,tsx}', 'a.tsx', true],
    ['*.{ts,tsx}', 'a.js', false],
    ['{a,b/{c,d}}/x', 'b/d/x', true],
    ['src/*', 'src/a/b', false],
    ['a?c', 'a/c', false],
    ['a?c', 'a😀c', true],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[!a-c]x', 'dx', true],
    ['app/[id]/**', 'app/[id]/page.tsx', true],
    ['app/(auth)/**', 'app/(auth)/page.tsx', true],
    ['\\*.ts', '*.ts', true],
    ['\\*.ts', 'a.ts', false],
    ['docs', 'docs/a/b.md', true],
    ['docs/', 'docs/a/b.md', true],
    ['docs', 'docs2/a', false],
    ['./src/*.ts', 'src/a.ts', true],
    ['a/**/b/**/c', 'a/x/b/b/y/c', true],
    ['**', 'a\nb', true],
    ['.github/**', '.github/x\u2028y', true],
    ['{{name}}/a', '{{name}}/a', true],
    ['*', '', true],
    ['src/**', 'src', true],
    ['*/**', 'README.md', false],
    ['*/**', 'a/b/c', true],
    ['**/**', 'README.md', true],
  ]
  test.each(cases)('%j and the path %j: %j', (glob, path, matches) => {
    expect(matcherOf([glob])(path)).toBe(matches)
  })

  const faulty = [
    '',
    '/etc/x',
    '!src/**',
    'a/../b',
    './../b',
    'a//b',
    '@(a|b)',
    'a/!(b)',
    '**.ts',
    'a{b',
    'x{1..9}',
    'a\\',
    'a\0b',
    '{a,b}'.repeat(9),
    'x'.repeat(501),
  ]
  test.each(faulty)('%j is refused, with what to write instead', (glob) => {
    expect(globFault(glob)).toMatch(/must/)
  })

  test('no name makes matching slow: a minute with a regular expression, a moment here', () => {
    const matches = matcherOf(['*a*a*a*a*a*a*b', '**/a/**/a/**/a/**/a/**/b'])
    const before = process.cpuUsage().user
    expect(matches('a'.repeat(4000))).toBe(false)
    expect(matches(Array.from({ length: 2000 }, () => 'a').join('/'))).toBe(false)
    // Processor time, not wall time: a loaded machine does not make this fail.
    expect(process.cpuUsage().user - before).toBeLessThan(5_000_000)
  })

  test('it matches as picomatch does, on all that both take', () => {
    const part = fc.constantFrom(
      'a',
      'b',
      'ab',
      '*',
      '?',
      'a*',
      '*b',
      '*a*',
      '.a',
      '.*',
      '{a,b}',
      'a{b,c}*',
      '[ab]',
      '[^a]b',
    )
    const glob = fc
      .array(fc.oneof(part, fc.constant('**')), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('/'))
    const name = fc.stringMatching(/^[abc.]{1,4}$/).filter((text) => !/^\.+$/.test(text))
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'))
    fc.assert(
      fc.property(glob, path, (pattern, where) => {
        // Without a wildcard a glob means all that is in a folder too, which picomatch has no word for.
        const meansFolder = !/[*?[]/.test(pattern)
        // Whether the folder itself is meant by what ends with ** depends on the kind of wildcard in picomatch.
        const endsLoosely = /[*?[{][^/]*\/\*\*$/.test(pattern)
        fc.pre(!meansFolder && !endsLoosely)
        const options = { dot: true, windows: false, noextglob: true, nonegate: true, flags: 's' }
        expect(matcherOf([pattern])(where)).toBe(picomatch(pattern, options)(where))
      }),
      { numRuns: 3000 },
    )
  })

  test('what forbids takes every look-alike, what permits takes none', () => {
    const lookAlikes = [
      '.GitHub/workflows/ci.yml',
      '.github\\workflows\\ci.yml',
      '.github\u2215workflows\u2215ci.yml',
      '.g\u0456thub/workflows/ci.yml',
      '\uff0egithub/workflows/ci.yml',
      '.git\u200bhub/workflows/ci.yml',
      '.github./workflows /ci.yml',
      '.GİTHUB/workflows/ci.yml',
    ]
    const [loose, exact] = [looseMatcherOf(['.github/**']), matcherOf(['.github/**'])]
    for (const path of lookAlikes) expect([path, loose(path), exact(path)]).toEqual([path, true, false])
  })
})
