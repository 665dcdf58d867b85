import { array, assert, constantFrom, nat, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxPartBytes, OutputLines } from '../../src/jail/output-lines.ts'
import { Tail } from '../../src/jail/tail.ts'

function linesOf(chunks: readonly (string | Buffer)[], many = false): string[] {
  const told: string[] = []
  const lines = new OutputLines((text) => told.push(text), many)
  for (const chunk of chunks) lines.write(Buffer.from(chunk))
  lines.end()
  return told
}

describe('output in lines', () => {
  it('is the same however it was cut into chunks', () => {
    const text = array(constantFrom('a', 'ü', '€', '\u{1f600}', '\n', ' '), { maxLength: 60 })
    assert(
      property(text, array(nat(40)), (letters, cuts) => {
        const bytes = Buffer.from(letters.join(''))
        const chunks: Buffer[] = []
        let at = 0
        for (const cut of cuts) chunks.push(bytes.subarray(at, (at += cut)))
        chunks.push(bytes.subarray(at))
        const whole = letters.join('').split('\n')
        if (whole.at(-1) === '') whole.pop()
        expect(linesOf(chunks)).toEqual(whole)
        expect(linesOf(chunks, true).join('\n')).toBe(whole.join('\n'))
      }),
    )
  })

  it('keeps what a terminal would show of a line that was written over', () => {
    expect(linesOf(['10%\r20%\r30%\n', 'dos\r\n', 'a\r', 'b'])).toEqual(['30%', 'dos', 'b'])
  })

  it('is told many lines at once where that was asked for, but for those that were written over', () => {
    expect(linesOf(['a', 'b\nc\nd\ne', '\n', '1%\r2%\nf\n', 'g'], true)).toEqual([
      'ab',
      'c\nd',
      'e',
      '2%',
      'f',
      'g',
    ])
  })

  it('replaces what is no UTF-8', () => {
    expect(linesOf([Buffer.from([0x61, 0xff, 0xfe, 0x62, 0x0a])])).toEqual(['a\ufffd\ufffdb'])
  })

  it('tells a very long line in parts, none of which cuts a character', () => {
    const line = 'ü'.repeat(100_001)
    const parts = linesOf([Buffer.from(`x${line}`)])
    expect(parts.length).toBe(4)
    expect(parts.every((part) => Buffer.byteLength(part) <= maxPartBytes)).toBe(true)
    expect(parts.join('')).toBe(`x${line}`)
  })
})

describe('the tail of a stream', () => {
  it('is its last bytes, from a whole character on', () => {
    const tail = new Tail(64)
    for (let number = 0; number < 5000; number++) tail.write(Buffer.from(`ü${number}`))
    const text = tail.text()
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(64)
    expect(text.endsWith('ü4998ü4999')).toBe(true)
    expect(text).not.toContain('\ufffd')
  })

  it('is all of a short stream', () => {
    const tail = new Tail(64)
    tail.write(Buffer.from('short'))
    expect(tail.text()).toBe('short')
  })
})
