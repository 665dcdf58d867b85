import type { z } from 'zod'
import { policySchema, type Policy } from '../policy/schema.ts'
import { faultsOf, type FileFault } from './faults.ts'
import { repositoryFileSchema, type RepositoryFile } from './repository-file.ts'
import { readYaml } from './yaml-document.ts'

export type ParsedRepositoryFile =
  | { readonly ok: true; readonly file: RepositoryFile }
  | { readonly ok: false; readonly faults: readonly FileFault[] }

/** Reads the text of a `.nightshift.yaml`; an empty one is all defaults. Never throws, whatever the text is. */
export function parseRepositoryFile(text: string): ParsedRepositoryFile {
  const parsed = parse(text, repositoryFileSchema)
  return parsed.ok ? { ok: true, file: parsed.value } : parsed
}

export type ParsedPolicyFile =
  | { readonly ok: true; readonly policy: Policy }
  | { readonly ok: false; readonly faults: readonly FileFault[] }

/** Reads the operator's file: the keys of `policy`, at the top of it. Never throws. */
export function parsePolicyFile(text: string): ParsedPolicyFile {
  const parsed = parse(text, policySchema)
  return parsed.ok ? { ok: true, policy: parsed.value } : parsed
}

type Parsed<T> = { ok: true; value: T } | { ok: false; faults: readonly FileFault[] }

function parse<T extends z.ZodType>(text: string, schema: T): Parsed<z.output<T>> {
  const read = readYaml(text)
  if (!read.ok) return read
  // Comments alone make an empty file too.
  const judged = schema.safeParse(read.value ?? {})
  if (judged.success) return { ok: true, value: judged.data }
  const faults = judged.error.issues.flatMap((issue) => faultsOf(issue, read.document, read.lines))
  return { ok: false, faults: faults.toSorted((a, b) => a.line - b.line || a.column - b.column) }
}
