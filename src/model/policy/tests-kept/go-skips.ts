/** Whose `Skip` is a test's: what is declared as one, its other names, and what is embedded. Readers can skip, too. */
export function goSkips(masked: string, when: 'always' | 'under a condition'): RegExp {
  const type = '(?:\\*\\s*(?:\\w+\\s*\\.\\s*)?[TBF]|\\b(?:\\w+\\s*\\.\\s*)?TB)\\b'
  const declared = firstGroups(masked, new RegExp(`\\b(\\w+)\\s+${type}`, 'g'))
  const names = ['t', 'tb', 'T', ...declared].join('|')
  const aliases = firstGroups(masked, new RegExp(`\\b(\\w+)\\s*:?=\\s*(?:${names})\\s*$`, 'gm'))
  const isEmbedded = new RegExp(`^[ \\t]*${type}[ \\t]*$`, 'm').test(masked)
  const receiver = isEmbedded ? '\\w+' : [names, ...aliases].join('|')
  return new RegExp(
    `(?<${when === 'always' ? '!' : '='}\\bif\\b[^{}]{0,300}\\{\\s{0,100})(?:\\b(?:${receiver})(?:\\s*\\(\\s*\\))?|\\(\\s*(?:${receiver})\\s*\\)|${type}\\s*\\))\\s*\\.\\s*(?:Skip|Skipf|SkipNow)\\b`,
    'gm',
  )
}

function firstGroups(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map((found) => found[1] ?? ''))].slice(0, 500)
}
