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
