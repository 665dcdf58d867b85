import { go } from './go.ts'
import { java } from './java.ts'
import type { Language } from './language.ts'
import { node } from './node.ts'
import { python } from './python.ts'
import { rust } from './rust.ts'

/** Whose tests are kept. A language more is one file more. */
export const languages: readonly Language[] = [node, python, go, rust, java]
