import { meaningfulLines, type ReadParts } from './parts.ts'

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
  /^(?:project(?:\.[\w.-]+)?|dependency-groups|tool\.poetry(?:\.(?:dependencies|extras|urls|scripts|group\.[\w-]+\.dependencies))?)$/

/** `pyproject.toml`: all but what describes the project and its dependencies. */
export const pyprojectParts: ReadParts = (text) => readSections(text, (header) => harmlessPython.test(header))

const harmlessRust =
  /^(?:(?:target\.[^[\]]+\.)?(?:dev-|build-)?dependencies(?:\.[\w-]+)?|workspace\.(?:dependencies(?:\.[\w-]+)?|package)|features|badges|package\.metadata(?:\.[\w.-]+)?)$/
const harmlessRustKey =
  /^(?:name|version|edition|rust-version|description|license|license-file|repository|homepage|documentation|readme|keywords|categories|authors|publish)(?:\.workspace)?\s*=/

/** `Cargo.toml`: all but what describes the package, its features and its dependencies. */
export const cargoParts: ReadParts = (text) =>
  readSections(
    text,
    (header, line) =>
      harmlessRust.test(header) ||
      (header === 'package' && (harmlessRustKey.test(line) || line === '[package]')),
  )
