import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  readdirSync,
  readlinkSync,
  realpathSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Mount } from '../jail/jail-spec.ts'
import type { Covers } from '../jail/sandbox-files.ts'

const programFolders = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/opt', '/nix/store']

const othersMayRead = 0o004
const maxSearched = 20_000

/** Programs, libraries and settings of the machine, read-only, at their own paths. /var, /run and /home are not there. */
export function systemMounts(covers: Covers): Mount[] {
  return [
    ...programFolders.flatMap(programMount),
    { kind: 'read', from: '/etc', to: '/etc' },
    { kind: 'read', from: covers.passwd, to: '/etc/passwd' },
    { kind: 'read', from: covers.group, to: '/etc/group' },
  ]
}

/** Lays an empty file or folder over a path, which must be there. */
export function hide(path: string, covers: Pick<Covers, 'emptyFile' | 'emptyFolder'>): Mount {
  const folder = lstatSync(path).isDirectory()
  return { kind: 'read', from: folder ? covers.emptyFolder : covers.emptyFile, to: path }
}

function programMount(path: string): Mount[] {
  if (!existsSync(path)) return []
  // On most systems /bin is a link to usr/bin by now.
  if (lstatSync(path).isSymbolicLink()) return [{ kind: 'link', target: readlinkSync(path), at: path }]
  return [{ kind: 'read', from: path, to: path }]
}

/** For the machine's network: with a resolver of its own, /etc/resolv.conf is a link into /run, which is not there inside. */
export function resolverMount(): Mount[] {
  if (!existsSync('/etc/resolv.conf')) return []
  const real = realpathSync('/etc/resolv.conf')
  return real.startsWith('/etc/') ? [] : [{ kind: 'read', from: real, to: real }]
}

/**
 * What in /etc and /opt not everyone may read, but this process can: by a group of its user, say. Root gives up its
 * rights and groups before, so for root there is nothing to hide.
 */
export function secretPaths(): string[] {
  return process.getuid?.() === 0 ? [] : ['/etc', '/opt'].flatMap(closedToOthers).filter(readable)
}

function closedToOthers(top: string): string[] {
  const found: string[] = []
  const folders = [top]
  let searched = 0
  for (const folder of folders) {
    for (const entry of list(folder)) {
      const path = join(folder, entry.name)
      if (entry.isSymbolicLink() || ++searched > maxSearched) continue
      if ((lstatSync(path).mode & othersMayRead) === 0) found.push(path)
      else if (entry.isDirectory()) folders.push(path)
    }
  }
  return found
}

function list(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}

function readable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}
