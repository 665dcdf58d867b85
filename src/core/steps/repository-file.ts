import { parseRepositoryFile } from '../../model/repository-file/parse.ts'
import { defaultRepositoryFile, type RepositoryFile } from '../../model/repository-file/repository-file.ts'
import type { CloneSource } from '../../ports/runtime.ts'
import type { Attempt } from '../attempt.ts'
import { Stop } from '../reasons.ts'
import { hostsOfPhases, type PhaseHosts } from './network.ts'

const fileName = '.nightshift.yaml'
const maxFileBytes = 1024 * 1024
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
  const content = await publisher.readFile(source.repo, source.sha, fileName, maxFileBytes)
  if (content === null) return { file: defaultRepositoryFile(), written: false, hosts: noHosts }
  const parsed = parseRepositoryFile(content.toString('utf8'))
  if (!parsed.ok) {
    const faults = parsed.faults.map(({ line, column, key, message }) => {
      const where = key === '' ? '' : ` ${key}:`
      return `${fileName}:${line}:${column}:${where} ${message}`
    })
    throw new Stop({ kind: 'repository_file_invalid', faults })
  }
  return { file: parsed.file, written: true, hosts: await hostsOfPhases(attempt.parts, parsed.file) }
}
