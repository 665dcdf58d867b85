import { meaningfulLines, type ReadParts } from './parts.ts'

/** `go.mod`: what is put in the place of a module, or left out. */
export const goModParts: ReadParts = (text) => {
  const parts = new Map<string, string>()
  let block = ''
  for (const line of meaningfulLines(text, /^\/\//)) {
    const opened = /^(replace|exclude)\s*\($/.exec(line)
    if (opened !== null) block = opened[1] ?? ''
    else if (line === ')') block = ''
    else if (block !== '' || /^(?:replace|exclude)\s/.test(line))
      parts.set(block === '' ? line : `${block} ${line}`, '')
  }
  return parts
}
