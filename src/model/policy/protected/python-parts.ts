import { mask } from '../tests-kept/mask.ts'
import { testHooks } from '../tests-kept/pytest-hooks.ts'
import { python } from '../tests-kept/python.ts'
import { meaningfulLines, type ReadParts } from './parts.ts'

/** What stands for a package and is no plain name with a version: a folder, an address. */
export const notFromIndex = /\s@\s*\S|:\/\/|^["']?\.{0,2}\//

/** Lists of requirements: options, and packages that come from elsewhere than the index. */
export const requirementsParts: ReadParts = (text) =>
  new Map(
    meaningfulLines(text, /^#/)
      .filter((line) => (line.startsWith('-') && !line.startsWith('--hash')) || notFromIndex.test(line))
      .map((line) => [line, '']),
  )

/** `conftest.py`: what decides which tests are run, and how they end. */
export const conftestParts: ReadParts = (text) => {
  const parts = new Map<string, string>()
  let readTo = 0
  for (const { 0: found, index } of mask(text, python.strings).matchAll(testHooks)) {
    if (index < readTo) continue
    const name = found.replace(/^\s*(?:def\s+)?|\W+$/g, '')
    // With what is indented below it.
    const start = text.lastIndexOf('\n', index) + 1
    const block = /^.*(?:\n(?:[ \t].*|[)\]].*)?)*/.exec(text.slice(start))?.[0] ?? ''
    parts.set(name, `${parts.get(name) ?? ''}${block.trimEnd()}`)
    readTo = start + block.length
  }
  return parts
}

/** `setup.py`: plug-ins of pytest and what is run while it is built. */
export const setupPyParts: ReadParts = (text) =>
  new Map(
    meaningfulLines(text, /^#/)
      .filter((line) =>
        /pytest11|\bcmdclass\b|\bsubprocess\b|\bos\s*\.\s*(?:system|exec|popen|environ)|\b(?:exec|eval)\s*\(/.test(
          line,
        ),
      )
      .map((line) => [line, '']),
  )
