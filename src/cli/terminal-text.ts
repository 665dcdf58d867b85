// Colours, cursor movements, titles, hyperlinks and clipboard writes (ECMA-48: CSI, then OSC, DCS, SOS, PM, APC).
const escapeSequences =
  // oxlint-disable-next-line no-control-regex -- these are what it is about
  /\u001b\[[0-?]*[ -/]*[@-~]|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u009b[0-?]*[ -/]*[@-~]/g
// oxlint-disable-next-line no-control-regex -- these are what it is about
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g
// They turn the direction of text round, or are not seen: what is read is then not what is there.
const invisible = /[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/**
 * Text of an agent or a repository, fit to be shown on a terminal: escape sequences taken out, other control
 * characters as pictures (`␛`), line ends and tabs kept.
 */
export function harmless(text: string): string {
  return text
    .replace(escapeSequences, '')
    .replace(/\r+\n/g, '\n')
    .replace(/\r/g, '\n')
    .replace(controls, picture)
    .replace(invisible, '\ufffd')
}

/** The same on one line, at most `width` columns wide; what is cut off ends in `…`. */
export function oneLine(text: string, width: number): string {
  const line = harmless(text).replace(/\s+/g, ' ').trim()
  if (textWidth(line) <= width) return line
  let shown = ''
  let used = 0
  for (const { segment } of graphemes.segment(line)) {
    used += segmentWidth(segment)
    if (used > width - 1) break
    shown += segment
  }
  return width < 1 ? '' : `${shown.trimEnd()}…`
}

/** Columns that a line takes on a terminal. */
export function textWidth(text: string): number {
  // Most text is ASCII, and segmenting is slow.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += segmentWidth(segment)
  return width
}

/** Words broken into lines of at most `width` columns, each after `indent`; line ends in the text are kept. */
export function wrap(text: string, width: number, indent = ''): string {
  const room = Math.max(20, width - indent.length)
  const lines = harmless(text)
    .split('\n')
    .flatMap((line) => wrapLine(line, room))
  return lines.map((line) => (line === '' ? '' : indent + line)).join('\n')
}

function wrapLine(text: string, room: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').flatMap((each) => pieces(each, room))) {
    if (line !== '' && textWidth(line) + 1 + textWidth(word) > room) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}

/** A word that is longer than a line, in parts that are not. */
function pieces(word: string, room: number): string[] {
  if (textWidth(word) <= room) return [word]
  const parts: string[] = []
  let part = ''
  for (const { segment } of graphemes.segment(word)) {
    if (textWidth(part + segment) > room) {
      parts.push(part)
      part = ''
    }
    part += segment
  }
  return [...parts, part]
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })
const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}]+$/u
// East Asian scripts and full-width forms, which Unicode (UAX #11) gives two columns.
const doubleWidth =
  /\p{Emoji_Presentation}|\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u

function segmentWidth(segment: string): number {
  if (zeroWidth.test(segment)) return 0
  return doubleWidth.test(segment) ? 2 : 1
}

function picture(control: string): string {
  const code = control.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  return code === 0x7f ? '␡' : '\ufffd'
}
