import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { JailSpec, Mount } from '../jail/jail-spec.ts'
import { clonePath, insideHome, outPath, type Covers, type SandboxFolder } from '../jail/sandbox-files.ts'
import type { RelayNode } from '../jail/way-out.ts'
import type { SandboxPlan } from './protocol.ts'

/** Made anew for every jail, or never seen in one. */
const ownFolders = new Set(['proc', 'dev', 'sys', 'run', 'tmp', 'home', clonePath.slice(1), outPath.slice(1)])
const largestShmBytes = 256 * 1024 * 1024
/** Files of the container that its network needs, laid over the image's. */
const networkFiles = ['/etc/resolv.conf', '/etc/hosts']

/** What keeps an image from being used; `null`: nothing. */
export function imageFault(root: string, path: string): string | null {
  if (!isThere(root, '/bin/sh')) return 'has no /bin/sh'
  return path.split(':').some((folder) => isThere(root, join(folder, 'git')))
    ? null
    : 'has no git on its PATH'
}

/** Links are not followed: an absolute one would lead out of the image. */
function isThere(root: string, path: string): boolean {
  if (lstatSync(join(root, path), { throwIfNoEntry: false }) !== undefined) return true
  const parent = lstatSync(join(root, dirname(path)), { throwIfNoEntry: false })
  if (parent?.isSymbolicLink() !== true) return false
  return existsSync(join(root, readlinkSync(join(root, dirname(path))), path.slice(dirname(path).length)))
}

/** Sees to it that the image has what is laid over: a mount needs something to be laid on. */
export function prepareImage(root: string): void {
  for (const path of [...networkFiles, '/etc/passwd', '/etc/group']) {
    const file = join(root, path)
    const stat = lstatSync(file, { throwIfNoEntry: false })
    if (stat?.isFile() === true) continue
    rmSync(file, { recursive: true, force: true })
    writeFileSync(file, '')
  }
}

/** A jail whose root file system is an image's, read-only, and whose clone, home and so on are the sandbox's own. */
export function imageJail(
  root: string,
  folder: SandboxFolder,
  covers: Covers,
  facts: { uid: number } & Pick<SandboxPlan, 'limits' | 'isForReading'>,
): JailSpec {
  return {
    mounts: [
      ...readdirSync(root)
        .filter((name) => !ownFolders.has(name))
        .map((name) => seen(root, `/${name}`)),
      { kind: 'read', from: covers.passwd, to: '/etc/passwd' },
      { kind: 'read', from: covers.group, to: '/etc/group' },
      { kind: 'empty', at: '/run' },
      { kind: 'empty', at: '/home' },
      ...list(join(root, 'home')).map((name) => seen(root, `/home/${name}`)),
      { kind: 'write', from: folder.home, to: insideHome },
      { kind: 'write', from: folder.tmp, to: '/tmp' },
      ...(existsSync(join(root, 'var/tmp'))
        ? [{ kind: 'write', from: folder.tmp, to: '/var/tmp' } as const]
        : []),
      { kind: facts.isForReading ? 'read' : 'write', from: folder.clone, to: clonePath },
      { kind: 'write', from: folder.out, to: outPath },
    ],
    cwd: clonePath,
    network: 'none',
    dropTo: facts.uid,
    folder: folder.path,
    shmBytes: Math.min(largestShmBytes, Math.floor(facts.limits.memoryBytes / 4)),
    emptyFile: covers.emptyFile,
    emptyFolder: covers.emptyFolder,
  }
}

/** The same jail on the container's own network. */
export function networked(spec: JailSpec): JailSpec {
  const files = networkFiles.filter((path) => existsSync(path))
  return {
    ...spec,
    network: 'host',
    mounts: [...spec.mounts, ...files.map((path) => ({ kind: 'read', from: path, to: path }) as const)],
  }
}

/** What every command starts from: what the image says, and what is the same in every sandbox. */
export function imageEnvironment(image: Readonly<Record<string, string>>): Record<string, string> {
  return {
    LANG: 'C.UTF-8',
    ...image,
    PATH: image['PATH'] ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: insideHome,
    USER: 'agent',
    LOGNAME: 'agent',
    SHELL: '/bin/sh',
    TERM: 'dumb',
    TMPDIR: '/tmp',
  }
}

const libraryFolder = '/run/nightshift/lib'
const nodeInside = '/run/nightshift/node'

/**
 * This Node for the relay in a jail whose image may have another C library or none: with the libraries that it has
 * loaded here, by the loader that has loaded them.
 */
export function ownNode(): RelayNode {
  const files = readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .flatMap((line) => /\s(\/\S+\.so(?:\.[\d.]+)?)$/.exec(line)?.[1] ?? [])
  const folders = [...new Set(files.map((file) => dirname(file)))]
  const loader = files.find((file) => /\/ld-[^/]+$/.test(file))
  const node: Mount = { kind: 'read', from: process.execPath, to: nodeInside }
  if (loader === undefined) return { mounts: [node], argv: [nodeInside] }
  const inside = folders.map((_, index) => `${libraryFolder}${index}`)
  return {
    mounts: [
      node,
      { kind: 'read', from: loader, to: `${libraryFolder}-loader` },
      ...folders.map((from, index) => ({ kind: 'read', from, to: inside[index] ?? '' }) as const),
    ],
    argv: [`${libraryFolder}-loader`, '--library-path', inside.join(':'), nodeInside],
  }
}

function seen(root: string, path: string): Mount {
  const from = join(root, path)
  return lstatSync(from).isSymbolicLink()
    ? { kind: 'link', target: readlinkSync(from), at: path }
    : { kind: 'read', from, to: path }
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}
