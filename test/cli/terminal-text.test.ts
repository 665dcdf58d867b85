import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { harmless, oneLine, textWidth, wrap } from '../../src/cli/terminal-text.ts'

describe('text of an agent on a terminal', () => {
  it.each([
    ['colours', '\u001b[31mred\u001b[0m', 'red'],
    ['cursor movements', 'a\u001b[2J\u001b[1;1Hb', 'ab'],
    ['a title', 'a\u001b]0;you are root\u0007b', 'ab'],
    ['a hyperlink', '\u001b]8;;https://evil.example\u001b\\click\u001b]8;;\u001b\\', 'click'],
    ['a clipboard write', '\u001b]52;c;cm0gLXJmIC8=\u0007', ''],
    ['a device control string', 'a\u001bP1$r\u001b\\b', 'ab'],
    ['an 8-bit sequence', 'a\u009b31mb', 'ab'],
    ['a lone escape', 'a\u001bb', 'a␛b'],
    ['a sequence without an end', 'a\u001b]0;title', 'a␛]0;title'],
    ['a backspace', 'rm\u0008\u0008ls', 'rm␈␈ls'],
    ['a bell and a delete', '\u0007\u007f', '␇␡'],
    ['a carriage return that hides', 'evil\rgood', 'evil\ngood'],
    ['line ends of Windows', 'a\r\nb', 'a\nb'],
    ['text that turns round', 'a\u202eb\u2066c', 'a\ufffdb\ufffdc'],
    ['line ends and tabs', 'a\n\tb', 'a\n\tb'],
    ['other scripts', 'żółć 日本 👩‍💻', 'żółć 日本 👩‍💻'],
  ])('has %s made harmless', (_what, text, expected) => {
    expect(harmless(text)).toBe(expected)
  })

  it('never keeps a control character but line ends and tabs, whatever comes', () => {
    const bits = [
      '\u001b',
      '[',
      ']',
      '0',
      ';',
      'm',
      '\u0007',
      '\\',
      '\u009b',
      '\r',
      '\n',
      'a',
      '\u0000',
      '\u202e',
    ]
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.constantFrom(...bits)).map((all) => all.join('')),
    )
    fc.assert(
      fc.property(hostile, (text) => {
        expect(harmless(text)).not.toMatch(
          // oxlint-disable-next-line no-control-regex -- exactly these must be gone
          /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/,
        )
      }),
      { numRuns: 2000 },
    )
  })

  it('takes no longer than its length for sequences without an end', () => {
    const text = '\u001b]'.repeat(200_000)
    expect(harmless(text)).toBe('␛]'.repeat(200_000))
  })

  it.each([
    ['fits', 10, 'fits'],
    ['two\nlines\tand  more', 40, 'two lines and more'],
    ['abcdefghij', 5, 'abcd…'],
    ['日本語日本語', 5, '日本…'],
    ['👩‍💻👩‍💻👩‍💻', 4, '👩‍💻…'],
    ['anything', 0, ''],
  ])('on one line: %j in %i columns', (text, width, expected) => {
    expect(oneLine(text, width)).toBe(expected)
    expect(textWidth(oneLine(text, width))).toBeLessThanOrEqual(width)
  })

  it('never gets wider than it may', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 20, max: 90 }), (text, width) => {
        expect(textWidth(oneLine(text, width))).toBeLessThanOrEqual(width)
        for (const line of wrap(text, width, '  ').split('\n')) {
          expect(textWidth(line.replaceAll('\t', ' '))).toBeLessThanOrEqual(width + 2)
        }
      }),
    )
  })

  it('wraps between words, and inside those that are too long', () => {
    expect(wrap('one two three four five six', 22, '> ')).toBe('> one two three four\n> five six')
    expect(wrap('x'.repeat(45), 20)).toBe(['x'.repeat(20), 'x'.repeat(20), 'x'.repeat(5)].join('\n'))
  })
})
