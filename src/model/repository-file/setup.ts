import { z } from 'zod'
import { globsSchema } from '../policy/glob.ts'
import { section } from '../policy/section.ts'
import { commandSchema } from './text.ts'

/** What is run before the agent, and again before the checks in a clean sandbox. */
export interface Setup {
  readonly run: string
  /** Globs of the files that its result depends on: it is cached by them. `null`: it is not cached. */
  readonly inputs: readonly string[] | null
}

export const setupSchema = z
  .union([commandSchema, section({ run: commandSchema, inputs: globsSchema })])
  .transform((setup): Setup => (typeof setup === 'string' ? { run: setup, inputs: null } : setup))
