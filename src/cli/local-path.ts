import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

/** A repository as a server has to be told: it has another working folder, where a relative path means something else. */
export function wholePath(repo: string): string {
  return !repo.includes(':') && existsSync(repo) ? resolve(repo) : repo
}
