import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { pathBytes, pathText } from '../../src/git/path-text.ts'

const names = fc.oneof(
  fc.uint8Array({ min: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
  fc
    .string({ unit: fc.constantFrom('\uFFFD', 'E', '9', 'a', 'é', '😀', '/', '\n', '"') })
    .map((text) => Buffer.from(text)),
)

test('every path has a text of its own, from which its bytes come back', () => {
  fc.assert(
    fc.property(names, (bytes) => {
      expect(pathBytes(pathText(bytes))).toEqual(bytes)
    }),
    { numRuns: 5000 },
  )
})

test('a path in UTF-8 is its own text', () => {
  for (const text of ['a/b', 'naïve 😀', 'line\nbreak\t"quoted"\\', 'ﬀ']) {
    expect(pathText(Buffer.from(text))).toBe(text)
  }
})

test('bytes that are not UTF-8 are shown, and never as another path', () => {
  expect(pathText(Buffer.from([0x61, 0xe9]))).toBe('a\uFFFDE9')
  expect(pathText(Buffer.from('a\uFFFDE9'))).toBe('a\uFFFDEF\uFFFDBF\uFFFDBDE9')
  // Half a surrogate pair, and a needlessly long form of a slash.
  expect(pathText(Buffer.from([0xed, 0xa0, 0x80]))).toBe('\uFFFDED\uFFFDA0\uFFFD80')
  expect(pathText(Buffer.from([0xc0, 0xaf]))).toBe('\uFFFDC0\uFFFDAF')
})
