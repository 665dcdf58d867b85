import { chmodSync, constants, lchownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { chown, open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { insideUid } from './jail-spec.ts'
import { RuntimeFailure, TooLarge } from '../ports/runtime.ts'
import type { Run } from '../process/spawner.ts'

/** Path of the clone in every sandbox: agents key their conversations by it. */
export const clonePath = '/work'

/** Path in every sandbox of the folder for what is handed out. */
export const outPath = '/out'

/** The folder of one sandbox and what lies in it. */
export interface SandboxFolder {
  readonly path: string
  readonly clone: string
  readonly home: string
  readonly tmp: string
  readonly out: string
  /** Accounts, empty files: seen inside, read-only. */
  readonly given: string
  /** Ours alone. */
  readonly scratch: string
  /** A line of /proc/PID/stat for each command that was started. */
  readonly runFile: string
}

/** What is over which: the empty file and folder that hide things, and the accounts that exist inside. */
export interface Covers {
  readonly emptyFile: string
  readonly emptyFolder: string
  readonly passwd: string
  readonly group: string
}

/** Where the parts of a sandbox's folder lie. */
export function sandboxFolder(path: string): SandboxFolder {
  const within = (part: string) => join(path, part)
  return {
    path,
    clone: within('clone'),
    home: within('home'),
    tmp: within('tmp'),
    out: within('out'),
    given: within('given'),
    scratch: within('scratch'),
    runFile: within('runs'),
  }
}

// What follows is done at once and not handed to a thread: each of these calls is shorter than the way there and back.

/** Makes the folders of a sandbox, its own among them, for nobody but us. */
export function makeFolders(folder: SandboxFolder): void {
  for (const path of [
    folder.path,
    folder.clone,
    folder.home,
    folder.tmp,
    folder.out,
    folder.given,
    folder.scratch,
  ]) {
    mkdirSync(path, { mode: 0o700 })
  }
}

/** HOME inside: a private folder of the sandbox. */
export const insideHome = '/home/agent'

/** Writes what every sandbox is given: its accounts, and the empty things that hide others. */
export function writeCovers(folder: SandboxFolder): Covers {
  const covers = {
    emptyFile: join(folder.given, 'empty-file'),
    emptyFolder: join(folder.given, 'empty-folder'),
    passwd: join(folder.given, 'passwd'),
    group: join(folder.given, 'group'),
  }
  mkdirSync(covers.emptyFolder, { mode: 0o555 })
  writeFileSync(covers.emptyFile, '', { mode: 0o444 })
  const accounts = [
    'root:x:0:0:root:/root:/usr/sbin/nologin',
    'nobody:x:65534:65534:nobody:/:/usr/sbin/nologin',
  ]
  accounts.push(`agent:x:${insideUid}:${insideUid}:agent:${insideHome}:/bin/sh`)
  writeFileSync(covers.passwd, `${accounts.join('\n')}\n`)
  writeFileSync(covers.group, `root:x:0:\nnogroup:x:65534:\nagent:x:${insideUid}:\n`)
  return covers
}

/** Settings of git for work in the sandbox: who commits, and that the clone is ours whatever its owner's number. */
export function writeGitConfig(
  folder: SandboxFolder,
  author: { readonly name: string; readonly email: string },
): void {
  const settings = [
    '[user]',
    `\tname = ${quoted(author.name)}`,
    `\temail = ${quoted(author.email)}`,
    '[safe]',
    '\tdirectory = *',
    // Tidying up in the background would be killed halfway, with the command that started it.
    '[gc]',
    '\tauto = 0',
    '[maintenance]',
    '\tauto = false',
  ]
  writeFileSync(join(folder.home, '.gitconfig'), `${settings.join('\n')}\n`)
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/[\n\0]/g, ' ')}"`
}

/** Files that are given away by this process: for more, another one is faster. */
const maxOwnFiles = 300

/** Gives a sandbox's folders to its user. Rejects with {@link RuntimeFailure}. */
export async function handOver(folder: SandboxFolder, uid: number, run: Run): Promise<void> {
  if (!givenAway([folder.clone, folder.home], uid)) await giveAway(folder, uid, run)
  for (const path of [folder.tmp, folder.out]) await chown(path, uid, uid)
}

/** Gives away folders and all that they hold; `false`: there is too much of it. */
function givenAway(folders: readonly string[], uid: number): boolean {
  const waiting = folders.map((path) => Buffer.from(path))
  for (const path of waiting) lchownSync(path, uid, uid)
  for (let left = maxOwnFiles; ;) {
    const path = waiting.pop()
    if (path === undefined) return true
    for (const entry of readdirSync(path, { withFileTypes: true, encoding: 'buffer' })) {
      left -= 1
      if (left < 0) return false
      // As bytes: names need be no text.
      const inside = Buffer.concat([path, Buffer.from('/'), entry.name])
      lchownSync(inside, uid, uid)
      if (entry.isDirectory()) waiting.push(inside)
    }
  }
}

async function giveAway(folder: SandboxFolder, uid: number, run: Run): Promise<void> {
  // Symbolic links in a clone are given away themselves, never what they point to.
  const owner = `${uid}:${uid}`
  const given = await run(['chown', '-R', '-h', '-P', owner, folder.clone, folder.home], {
    env: { PATH: '/usr/bin:/bin:/run/current-system/sw/bin', LC_ALL: 'C' },
    timeoutMs: 10 * 60_000,
  })
  if (given.exitCode !== 0) throw new RuntimeFailure(`the clone could not be handed over: ${given.stderr}`)
}

/** Opens the sandbox's folders as far as its user needs it. */
export function setModes(folder: SandboxFolder): void {
  chmodSync(folder.path, 0o711)
  chmodSync(folder.given, 0o755)
  // To be passed through on the way to the proxy's socket, not listed; what else is in there has no rights for others.
  chmodSync(folder.scratch, 0o711)
  chmodSync(folder.tmp, 0o1777)
}

/**
 * Reads a plain file that untrusted code may have put there: no symbolic link is followed, nothing but a regular file
 * is read. `null`: there is none that can be read. Rejects with {@link TooLarge}.
 */
export async function takeFile(folder: string, name: string, maxBytes: number): Promise<Buffer | null> {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) return null
  let file: FileHandle
  try {
    // Without O_NONBLOCK, a named pipe of that name would hold us for ever.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY
    file = await open(join(folder, name), flags)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOSPC' || code === 'EMFILE' || code === 'ENFILE' || code === 'EIO') {
      throw new RuntimeFailure(`${name} could not be read: ${code}`, { cause: error })
    }
    return null
  }
  try {
    const stat = await file.stat()
    if (!stat.isFile()) return null
    if (stat.size > maxBytes) throw new TooLarge(maxBytes)
    const buffer = Buffer.allocUnsafe(stat.size)
    let read = 0
    while (read < buffer.length) {
      const { bytesRead } = await file.read(buffer, read, buffer.length - read, read)
      if (bytesRead === 0) break
      read += bytesRead
    }
    return buffer.subarray(0, read)
  } finally {
    await file.close()
  }
}
