/* oxlint-disable no-control-regex -- these are what it is about */
// Terminal output as pieces of plain text with class names. Runs in the browser and in the server; whatever a process
// printed, what comes out is text and a few known words.

/** @typedef {{ text: string, style: string }} Piece `style`: class names, or '' */

// Cursor movements, titles, hyperlinks and clipboard writes (ECMA-48: CSI, then OSC, DCS, SOS, PM, APC).
const sequences =
  /\u001b\[([0-?]*)[ -/]*([@-~])|\u009b([0-?]*)[ -/]*([@-~])|\u001b[\]PX^_][^\u0007\u001b\n]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]?/g
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g
// They turn the direction of text round, or are not seen: what is read is then not what is there.
const invisible = /[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

const colours = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white']
const levels = [0, 95, 135, 175, 215, 255]

/** Text fit to be shown: no control characters but tabs and line ends. @param {string} text */
export function plainText(text) {
  return text
    .replace(sequences, '')
    .replace(/\r\n?/g, '\n')
    .replace(controls, '\ufffd')
    .replace(invisible, '\ufffd')
}

/**
 * Reads output piece by piece; colours go on from one piece to the next. Only the text's colour and weight are kept:
 * backgrounds, hiding and blinking could only make it harder to read.
 */
export function createAnsiReader() {
  let colour = ''
  let bold = false
  let dim = false
  let italic = false
  let underline = false

  function style() {
    const names = []
    if (colour !== '') names.push(`ansi-${colour}`)
    if (bold) names.push('ansi-bold')
    if (dim) names.push('ansi-dim')
    if (italic) names.push('ansi-italic')
    if (underline) names.push('ansi-underline')
    return names.join(' ')
  }

  function reset() {
    colour = ''
    bold = dim = italic = underline = false
  }

  /** @param {string} parameters */
  function select(parameters) {
    const codes = parameters.split(/[;:]/).map((code) => (code === '' ? 0 : Number(code)))
    for (let index = 0; index < codes.length; index += 1) {
      const code = codes[index] ?? 0
      if (code === 0) reset()
      else if (code === 1) bold = true
      else if (code === 2) dim = true
      else if (code === 3) italic = true
      else if (code === 4) underline = true
      else if (code === 22) bold = dim = false
      else if (code === 23) italic = false
      else if (code === 24) underline = false
      else if (code === 39) colour = ''
      else if (code >= 30 && code <= 37) colour = colours[code - 30] ?? ''
      else if (code >= 90 && code <= 97) colour = colours[code - 90] ?? ''
      else if (code === 38 || code === 48) {
        const wide = codes[index + 1] === 2
        const chosen = wide
          ? nearest(codes[index + 2] ?? 0, codes[index + 3] ?? 0, codes[index + 4] ?? 0)
          : ofPalette(codes[index + 2] ?? 0)
        if (code === 38) colour = chosen
        index += wide ? 4 : 2
      }
    }
  }

  return {
    /** Lines of pieces; the last one is not ended by a line end. @param {string} text @returns {Piece[][]} */
    read(text) {
      /** @type {Piece[]} */
      let line = []
      const lines = [line]
      /** @param {string} part */
      const add = (part) => {
        const shown = part.replace(/\r\n?/g, '\n').replace(controls, '\ufffd').replace(invisible, '\ufffd')
        for (const [number, each] of shown.split('\n').entries()) {
          if (number > 0) lines.push((line = []))
          if (each !== '') line.push({ text: each, style: style() })
        }
      }
      let from = 0
      for (const found of text.matchAll(sequences)) {
        if (found.index > from) add(text.slice(from, found.index))
        from = found.index + found[0].length
        if ((found[2] ?? found[4]) === 'm') select(found[1] ?? found[3] ?? '')
      }
      if (from < text.length) add(text.slice(from))
      return lines
    },
  }
}

/** A colour of the palette of 256, as one of the eight. @param {number} index */
function ofPalette(index) {
  if (index < 16) return colours[index % 8] ?? ''
  if (index >= 232) return index < 244 ? 'black' : 'white'
  const cube = index - 16
  return nearest(
    levels[Math.floor(cube / 36)] ?? 0,
    levels[Math.floor(cube / 6) % 6] ?? 0,
    levels[cube % 6] ?? 0,
  )
}

/** @param {number} red @param {number} green @param {number} blue */
function nearest(red, green, blue) {
  const most = Math.max(red, green, blue)
  if (most < 64) return 'black'
  const bit = (/** @type {number} */ part) => (part > most * 0.6 ? 1 : 0)
  return colours[bit(red) + 2 * bit(green) + 4 * bit(blue)] ?? ''
}
