import { meaningfulLines, sourceOf, type ReadParts } from './parts.ts'

/**
 * Reads TOML by its headers, without a parser, and errs towards protecting: only sections whose header is plainly
 * one of the harmless ones are left out, and whatever could end such a section early is protected itself.
 */
function readSections(
  text: string,
  isHarmless: (header: string, line: string) => boolean,
): ReadonlyMap<string, string> {
  const sections = new Map<string, string>()
  let header = ''
  for (const line of meaningfulLines(text, /^#/)) {
    const found = /^\[\[?([^[\]]*)\]\]?\s*(?:#.*)?$/.exec(line)
    if (line.startsWith('[')) header = found?.[1]?.trim() ?? line
    if (isHarmless(header, line)) continue
    const name = header === '' ? 'the top of the file' : `[${header}]`
    sections.set(name, `${sections.get(name) ?? ''}${line}\n`)
  }
  return sections
}

const harmlessPython =
  /^(?:project(?:\.(?!entry-points)[\w.-]+)?|dependency-groups|tool\.poetry(?:\.(?:dependencies|extras|urls|scripts|group\.[\w-]+\.dependencies))?)$/

/** `pyproject.toml`: all but what describes the project and its dependencies. */
export const pyprojectParts: ReadParts = (text) =>
  readSections(text, (header, line) => harmlessPython.test(header) && !replaced.test(line))

// Of a description only what names a package: addresses of the project itself are no packages.
const replaced = /@\s*(?:file:|git\+|https?:|ssh:|\.{0,2}\/)|\{[^{}]*\b(?:path|git|url)\s*=/

const harmlessRust =
  /^(?:(?:target\.[^[\]]+\.)?(?:dev-|build-)?dependencies(?:\.[\w-]+)?|workspace\.(?:dependencies(?:\.[\w-]+)?|package)|features|badges|package\.metadata(?:\.[\w.-]+)?)$/
const harmlessRustKey =
  /^(?:name|version|edition|rust-version|description|license|license-file|repository|homepage|documentation|readme|keywords|categories|authors|publish)(?:\.workspace)?\s*=/

/** `Cargo.toml`: all but what describes the package, its features and its dependencies; and where these come from. */
export const cargoParts: ReadParts = (text) =>
  new Map([
    ...readSections(
      text,
      (header, line) =>
        harmlessRust.test(header) ||
        (header === 'package' && (harmlessRustKey.test(line) || line === '[package]')),
    ),
    ...cargoSources(text),
  ])

const elsewhere = /\b(?:path|git|registry|registry-index|package)\s*=\s*["'][^"']*["']/g

function cargoSources(text: string): Map<string, string> {
  const sources = new Map<string, string>()
  let header = ''
  for (const line of meaningfulLines(text, /^#/)) {
    if (line.startsWith('[')) header = /^\[([^[\]]*)\]/.exec(line)?.[1]?.trim() ?? ''
    const [, section, single] = /(?:^|\.)((?:dev-|build-)?dependencies)(?:\.([\w-]+))?$/.exec(header) ?? []
    if (section === undefined) continue
    const name = single ?? /^["']?([\w-]+)["']?\s*[.=]/.exec(line)?.[1]
    if (name === undefined) continue
    const source = [...line.matchAll(elsewhere)].map(([found]) => found.replace(/\s/g, '')).join(' ')
    const key = `${sourceOf}${name}`
    sources.set(key, `${sources.get(key) ?? ''}${source}`)
  }
  return sources
}
