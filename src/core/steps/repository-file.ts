import { repositoryFileName } from '../../model/policy/protected/default-globs.ts'
import type { FileFault } from '../../model/repository-file/faults.ts'
import { parseRepositoryFile } from '../../model/repository-file/parse.ts'
import { defaultRepositoryFile, type RepositoryFile } from '../../model/repository-file/repository-file.ts'
import type { CloneSource } from '../../ports/runtime.ts'
import type { Attempt } from '../attempt.ts'
import { Stop } from '../reasons.ts'
import { hostsOfPhases, type PhaseHosts } from './network.ts'

/** Bytes that the file may have. */
export const maxFileBytes = 1024 * 1024
const noHosts: PhaseHosts = { setup: [], agent: [], checks: [] }

/** The rules of the repository, and whether it wrote any down. */
export interface RepositoryRules {
  readonly file: RepositoryFile
  /** `false`: the repository has no file, and the defaults count. */
  readonly written: boolean
  /** What its commands may reach. */
  readonly hosts: PhaseHosts
}

/** Reads the repository's own file at the pinned base: never from the agent's branch. */
export async function readRules(attempt: Attempt, source: CloneSource): Promise<RepositoryRules> {
  const { publisher } = attempt.parts
  const content = await publisher.readFile(source.repo, source.sha, repositoryFileName, maxFileBytes)
  if (content === null) return { file: defaultRepositoryFile(), written: false, hosts: noHosts }
  const parsed = parseRepositoryFile(content.toString('utf8'))
  if (!parsed.ok) throw new Stop({ kind: 'repository_file_invalid', faults: faultLines(parsed.faults) })
  return { file: parsed.file, written: true, hosts: await hostsOfPhases(attempt.parts, parsed.file) }
}

/** Faults as people look for them: file, line, column, key. */
export function faultLines(faults: readonly FileFault[], file = repositoryFileName): string[] {
  return faults.map(({ line, column, key, message }) => {
    const where = key === null ? '' : ` ${key}:`
    return `${file}:${line}:${column}:${where} ${message}`
  })
}
