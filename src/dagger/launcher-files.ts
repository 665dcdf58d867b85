import { createHash, randomUUID } from 'node:crypto'
import { constants, existsSync } from 'node:fs'
import {
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RuntimeFailure } from '../ports/runtime.ts'
import { run } from '../process/run.ts'

/** Programs that make a jail and a clone in a container. */
const needed = ['sh', 'bwrap', 'setpriv', 'mkfifo', 'rm', 'git'] as const
/** What to type where one is missing. */
const packageOf: Readonly<Record<(typeof needed)[number], string>> = {
  sh: 'dash',
  bwrap: 'bubblewrap',
  setpriv: 'util-linux',
  mkfifo: 'coreutils',
  rm: 'coreutils',
  git: 'git',
}
// Never the user's PATH: what makes the jail has to come from where only the machine's owner can write.
const folders = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin', '/run/current-system/sw/bin']
const oldMs = 7 * 24 * 60 * 60_000

/** Where our own files lie in a container. */
export const launcherCode = '/nightshift'
export const launcherNode = '/usr/bin/node'

const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const sources = fileURLToPath(new URL('..', import.meta.url))
/** The keeper's path in a container. */
export const keeperPath = `${launcherCode}/dagger/keeper.${ending}`

/**
 * The root file system from which containers are launched: our own Node, bubblewrap, git and what they load, taken from
 * this machine, and the keeper. So no image has to hold any of it, and nothing that runs as root comes from one. Answers
 * its folder; made once for a version of all that. Rejects with {@link RuntimeFailure}.
 */
export async function launcherFolder(home: string): Promise<string> {
  const files = new Map<string, string>()
  for (const program of needed) await addProgram(files, find(program), `/usr/bin/${program}`)
  await addProgram(files, process.execPath, launcherNode)
  for (const file of await keeperFiles()) files.set(`${launcherCode}/${relative(sources, file)}`, file)
  const folder = join(home, 'dagger')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const wanted = join(folder, `launcher-${await versionOf(files)}`)
  if (existsSync(wanted)) {
    const now = new Date()
    await utimes(wanted, now, now)
    return wanted
  }
  const draft = join(folder, `draft-${randomUUID()}`)
  try {
    await layOut(draft, files)
    await rename(draft, wanted)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    // Another process may have been faster.
    if (!existsSync(wanted)) throw failure(error)
  }
  await removeOld(folder, wanted)
  return wanted
}

async function layOut(root: string, files: ReadonlyMap<string, string>): Promise<void> {
  for (const folder of [
    'usr/bin',
    'usr/lib',
    'usr/lib64',
    'etc',
    'tmp',
    'run',
    'var',
    'image',
    'dev',
    'proc',
    'sys',
  ])
    await mkdir(join(root, folder), { recursive: true })
  for (const name of ['bin', 'lib', 'lib64']) await symlink(`usr/${name}`, join(root, name))
  await symlink('usr/bin', join(root, 'sbin'))
  await writeFile(join(root, 'etc', 'passwd'), 'root:x:0:0:root:/:/bin/sh\n')
  await writeFile(join(root, 'etc', 'group'), 'root:x:0:\n')
  await mkdir(join(root, launcherCode))
  await writeFile(join(root, launcherCode, 'package.json'), '{"type":"module"}\n')
  for (const [to, from] of files) {
    const path = join(root, to)
    await mkdir(dirname(path), { recursive: true })
    await copyFile(from, path, constants.COPYFILE_FICLONE)
  }
}

function find(program: (typeof needed)[number]): string {
  const found = folders.map((folder) => join(folder, program)).find((path) => existsSync(path))
  if (found !== undefined) return found
  throw new RuntimeFailure(`${program} is not installed (apt-get install ${packageOf[program]})`)
}

/** A program with the libraries that it loads, at the paths where its loader looks for them. */
async function addProgram(files: Map<string, string>, from: string, to: string): Promise<void> {
  files.set(to, await realpath(from))
  const asked = await run(['ldd', from], { env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' }, timeoutMs: 30_000 })
  const libraries = asked.stdout
    .toString('utf8')
    .split('\n')
    .flatMap((line) => /(?:=>\s+|^\s+)(\/\S+)\s+\(0x/.exec(line)?.[1] ?? [])
  // A program that is linked to none is told to be no dynamic one.
  for (const library of libraries) files.set(await withoutLink(library), await realpath(library))
}

/** On most systems /lib is a link to usr/lib; in the launcher it always is. */
async function withoutLink(path: string): Promise<string> {
  const [, top = '', rest = ''] = /^\/([^/]+)(\/.*)$/.exec(path) ?? []
  const isLink = (await lstat(`/${top}`)).isSymbolicLink()
  const place = isLink ? resolve('/', await readlink(`/${top}`)) : `/${top}`
  const merged = /^\/(?:bin|sbin|lib|lib64)$/.test(place) ? `/usr${place}` : place
  return `${merged}${rest}`
}

/** The keeper and all that it imports, which is ours alone: a container has no packages. */
async function keeperFiles(): Promise<string[]> {
  const found = [join(sources, 'dagger', `keeper.${ending}`), join(sources, 'jail', `relay.${ending}`)]
  for (const file of found) {
    const text = await readFile(file, 'utf8')
    const imports = /^(?:import|export)\s(?!type\b)(?:[^'"]*?\sfrom\s)?'([^']+)'/gm
    for (const [, name = ''] of text.matchAll(imports)) {
      if (name.startsWith('node:')) continue
      if (!name.startsWith('.'))
        throw new Error(`${file} must not import ${name}: a container does not have it`)
      const path = resolve(dirname(file), name)
      if (!found.includes(path)) found.push(path)
    }
  }
  return found
}

async function versionOf(files: ReadonlyMap<string, string>): Promise<string> {
  const hash = createHash('sha256')
  for (const [to, from] of files) {
    const { size, mtimeMs } = await stat(from)
    hash.update(JSON.stringify([to, from, size, mtimeMs]))
  }
  return hash.digest('hex').slice(0, 16)
}

/** Earlier versions, which no process uses any more. Never throws. */
async function removeOld(folder: string, current: string): Promise<void> {
  try {
    for (const name of await readdir(folder)) {
      const path = join(folder, name)
      if (path === current || Date.now() - (await stat(path)).mtimeMs < oldMs) continue
      await rm(path, { recursive: true, force: true })
    }
  } catch {
    // The next version tries again.
  }
}

function failure(error: unknown): RuntimeFailure {
  if (error instanceof RuntimeFailure) return error
  return new RuntimeFailure(`the launcher of containers could not be made: ${String(error)}`, {
    cause: error,
  })
}
