/** More variants than this in one glob are refused: they would only be a way to make matching slow. */
export const maxVariants = 256

/**
 * Every way to read a glob whose braces list alternatives: `*.{ts,tsx}` gives `*.ts` and `*.tsx`. Braces without a
 * comma are themselves. `null`: a brace that is not closed, or more than {@link maxVariants} variants.
 */
export function expandBraces(glob: string): string[] | null {
  let done: string[] = ['']
  let at = 0
  while (at < glob.length) {
    const char = glob[at] ?? ''
    if (char === '\\') {
      const escaped = glob.slice(at, at + 2)
      done = done.map((text) => text + escaped)
      at += 2
    } else if (char === '{') {
      const group = readGroup(glob, at)
      if (group === null) return null
      const alternatives = alternativesOf(group.parts)
      if (alternatives === null || done.length * alternatives.length > maxVariants) return null
      done = done.flatMap((text) => alternatives.map((alternative) => text + alternative))
      at = group.end
    } else {
      done = done.map((text) => text + char)
      at += 1
    }
  }
  return done
}

function alternativesOf(parts: readonly string[]): string[] | null {
  const expanded: string[] = []
  for (const part of parts) {
    const inner = expandBraces(part)
    if (inner === null || expanded.length + inner.length > maxVariants) return null
    expanded.push(...inner)
  }
  return parts.length === 1 ? expanded.map((text) => `\\{${text}\\}`) : expanded
}

/** The parts between the commas of the group that opens at `start`, and where it ends. */
function readGroup(glob: string, start: number): { parts: string[]; end: number } | null {
  const parts: string[] = []
  let depth = 0
  let part = ''
  for (let at = start; at < glob.length; at += 1) {
    const char = glob[at] ?? ''
    if (char === '\\') {
      part += glob.slice(at, at + 2)
      at += 1
      continue
    }
    if (char === '{' && ++depth === 1) continue
    if (char === '}' && --depth === 0) return { parts: [...parts, part], end: at + 1 }
    if (char === ',' && depth === 1) {
      parts.push(part)
      part = ''
    } else part += char
  }
  return null
}
