import { expect, it } from 'vitest'
import { literalPrefix } from '../../src/postgres/path-prefixes.ts'

it.each([
  ['src/a.ts', 'src/a.ts'],
  ['src/**', 'src/'],
  ['src/a*.ts', 'src/a'],
  ['**/*.ts', ''],
  ['*.md', ''],
  ['{a,b}/c', ''],
  ['src/[ab].ts', 'src/'],
  ['src/@types/x.ts', 'src/@types/x.ts'],
  ['src/@(a|b).ts', 'src/'],
  ['!src/**', ''],
  ['./src/a', 'src/a'],
  ['src//a', 'src/a'],
  ['a\\*b', 'a'],
])('the literal beginning of %s is %j', (glob, prefix) => {
  expect(literalPrefix(glob)).toBe(prefix)
})
