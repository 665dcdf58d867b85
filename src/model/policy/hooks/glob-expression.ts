import { expandBraces } from '../glob-braces.ts'

/** An extended regular expression, as `grep -E` takes it, for the paths that any of these globs means. */
export function globExpression(globs: readonly string[]): string {
  const variants = globs.flatMap((glob) => expandBraces(glob) ?? []).map(expressionOf)
  return variants.length === 0 ? '^/' : `^(${variants.join('|')})$`
}

function expressionOf(glob: string): string {
  const parts = glob.replace(/^\.\//, '').split('/')
  if (parts.length > 1 && parts.at(-1) === '') parts[parts.length - 1] = '**'
  if (!/[*?[\]{}\\]/.test(glob)) parts.push('**')
  return parts.reduce((before, part, index) => {
    const slash = index === 0 || parts[index - 1] === '**' ? '' : '/'
    if (part !== '**') return `${before}${slash}${segment(part)}`
    if (index < parts.length - 1) return `${before}${slash}(.*/)?`
    return index === 0 ? '.*' : slash === '' ? `${before}.*` : `${before}(/.*)?`
  }, '')
}

function segment(part: string): string {
  let expression = ''
  for (let at = 0; at < part.length; at += 1) {
    const char = part[at] ?? ''
    const set = char === '[' ? /^\[([!^]?)([^\]\\]+)\]/.exec(part.slice(at)) : null
    if (set !== null) {
      // Brackets are a set of characters, and also themselves.
      const [whole, negated, inside] = set
      expression += `([${negated === '' ? '' : '^'}${inside}]|${[...whole].map(escape).join('')})`
      at += whole.length - 1
    } else if (char === '*') expression += '[^/]*'
    else if (char === '?') expression += '[^/]'
    else if (char === '\\') {
      at += 1
      expression += escape(part[at] ?? '')
    } else expression += escape(char)
  }
  return expression
}

function escape(char: string): string {
  return /[.^$+(){}|\\*?[\]]/.test(char) ? `\\${char}` : char
}
