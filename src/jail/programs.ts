import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import type { Problem } from '../ports/runtime.ts'
import type { JailPrograms } from './jail-spec.ts'

// Never the user's PATH: what makes the jail has to come from where only the machine's owner can write.
const folders = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin', '/run/current-system/sw/bin']

/** Finds the programs that a jail needs, or says what is missing. Never throws. */
export function findPrograms(root: boolean): { programs: JailPrograms } | { problems: Problem[] } {
  const sh = find('sh')
  const bwrap = find('bwrap')
  const setpriv = find('setpriv')
  const problems: Problem[] = []
  if (sh === null) problems.push({ what: 'there is no /bin/sh', todo: 'apt-get install dash' })
  if (bwrap === null) {
    problems.push({
      what: 'bubblewrap (bwrap) is not installed',
      todo: 'apt-get install bubblewrap   (or: dnf install bubblewrap, pacman -S bubblewrap, apk add bubblewrap)',
    })
  }
  if (root && setpriv === null) {
    problems.push({
      what: 'setpriv is not installed, which root needs to give up its rights',
      todo: 'apt-get install util-linux   (or: dnf install util-linux, apk add setpriv)',
    })
  }
  if (sh === null || bwrap === null || problems.length > 0) return { problems }
  return { programs: { sh, bwrap, setpriv, bash: find('bash'), prlimit: find('prlimit') } }
}

function find(name: string): string | null {
  for (const folder of folders) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // The next folder may have it.
    }
  }
  return null
}
