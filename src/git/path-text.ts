import { isUtf8 } from 'node:buffer'

const replacement = '\uFFFD'

/**
 * A path of git's, which is any bytes, as text that no other path has: a byte that is not UTF-8 is shown as U+FFFD
 * and its two hex digits, and so are the bytes of a U+FFFD that stands in the name itself.
 */
export function pathText(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  if (isUtf8(bytes) && !text.includes(replacement)) return text
  let result = ''
  for (let at = 0; at < bytes.length;) {
    const length = characterLength(bytes, at)
    const character = length === 0 ? replacement : bytes.toString('utf8', at, at + length)
    if (character === replacement) {
      for (const byte of bytes.subarray(at, at + Math.max(length, 1))) result += escaped(byte)
    } else {
      result += character
    }
    at += Math.max(length, 1)
  }
  return result
}

/** The bytes that {@link pathText} made the text from. */
export function pathBytes(text: string): Buffer {
  if (!text.includes(replacement)) return Buffer.from(text)
  return Buffer.concat(
    text.split(/(\uFFFD[0-9A-F]{2})/).map((part, index) =>
      // Every second part is what stood between the brackets of the pattern.
      index % 2 === 1 ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part),
    ),
  )
}

function escaped(byte: number): string {
  return replacement + byte.toString(16).toUpperCase().padStart(2, '0')
}

/** How many bytes make the character that begins here; 0: none does. */
function characterLength(bytes: Buffer, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length += 1) {
    if (isUtf8(bytes.subarray(at, at + length))) return length
  }
  return 0
}
