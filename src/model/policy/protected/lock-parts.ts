import { sourceOf, type ReadParts } from './parts.ts'

/** `package-lock.json`: where packages come from. Another server, or another source of a package that was there. */
export const packageLockParts: ReadParts = (text) => {
  const parts = new Map<string, string>()
  const root: unknown = JSON.parse(text.replace(/^\ufeff/, ''))
  const packages = isRecord(root) ? (root['packages'] ?? root['dependencies']) : undefined
  for (const [path, entry] of Object.entries(isRecord(packages) ? packages : {})) {
    if (!isRecord(entry) || !path.includes('node_modules/')) continue
    const resolved = typeof entry['resolved'] === 'string' ? entry['resolved'] : ''
    const host = hostOf(resolved)
    parts.set(`${sourceOf}${path}`, entry['link'] === true ? `link to ${resolved}` : (host ?? resolved))
    if (host !== null) parts.set(`packages from ${host}`, '')
  }
  return parts
}

/** Lock files of other tools: the servers that they name, and what comes from a folder in a package's place. */
export const lockParts: ReadParts = (text) => {
  const parts = new Map<string, string>()
  for (const [url] of text.matchAll(/\bhttps?:\/\/[^\s"'<>,)]+/g)) {
    const host = hostOf(url)
    if (host !== null) parts.set(`packages from ${host}`, '')
  }
  for (const [line] of text.matchAll(/^.*@(?:file|portal|exec):.*$/gm)) parts.set(line.trim(), '')
  return parts
}

function hostOf(url: string): string | null {
  if (!/^(?:git\+)?(?:https?|ssh):/.test(url)) return null
  return URL.canParse(url) ? new URL(url).host : url
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
