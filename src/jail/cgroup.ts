import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { join, relative } from 'node:path'
import { isTagOfDead } from './process-tag.ts'

/** What a sandbox may use, all of its processes together. */
export interface GroupLimits {
  readonly memoryBytes: number
  readonly processes: number
}

/** The launcher's own processes, which count too. */
export const launcherProcesses = 8

/** The folders in which this process may make control groups; `null`: the machine lets us make none. */
export type GroupBase =
  | { readonly version: 1; readonly memory: string; readonly pids: string }
  | { readonly version: 2; readonly folder: string }

/** Looks for control groups that can hold memory and processes. Never throws. */
export function findGroupBase(): GroupBase | null {
  try {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').flatMap(parseMount)
    const own = readFileSync('/proc/self/cgroup', 'utf8').split('\n').flatMap(parseMembership)
    const memory = folderOf('memory', mounts, own)
    const pids = folderOf('pids', mounts, own)
    if (memory !== null && pids !== null) {
      return [memory, pids].every(writable) ? { version: 1, memory, pids } : null
    }
    return unifiedBase(mounts, own)
  } catch {
    return null
  }
}

/** A control group around one sandbox. */
export class ResourceGroup {
  /** Its folders: what has to be gone in the end. */
  readonly folders: readonly string[]
  /** What a process writes itself into to be in the group. */
  readonly procsFiles: readonly string[]
  readonly #version: 1 | 2

  /** Throws the operating system's error where the group cannot be made. */
  constructor(base: GroupBase, name: string, limits: GroupLimits) {
    this.#version = base.version
    this.folders = groupFolders(base, name)
    this.procsFiles = this.folders.map((folder) => join(folder, 'cgroup.procs'))
    const made: string[] = []
    try {
      for (const folder of this.folders) {
        mkdirSync(folder)
        made.push(folder)
      }
      this.#limit(limits)
    } catch (error) {
      for (const folder of made) rmdirSync(folder)
      throw error
    }
  }

  #limit(limits: GroupLimits): void {
    const processes = String(limits.processes + launcherProcesses)
    const memory = String(limits.memoryBytes)
    const [first = '', second = first] = this.folders
    writeFileSync(join(second, 'pids.max'), processes)
    if (this.#version === 1) {
      writeFileSync(join(first, 'memory.limit_in_bytes'), memory)
      writeIfThere(join(first, 'memory.memsw.limit_in_bytes'), memory)
    } else {
      writeFileSync(join(first, 'memory.max'), memory)
      writeIfThere(join(first, 'memory.swap.max'), '0')
      writeIfThere(join(first, 'memory.oom.group'), '1')
    }
  }

  /** How many processes the kernel has ended for want of memory. */
  outOfMemoryKills(): number {
    const file = join(this.folders[0] ?? '', this.#version === 1 ? 'memory.oom_control' : 'memory.events')
    return Number(/^oom_kill (\d+)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 0)
  }

  /** Ends all that is inside and removes the group. Rejects where it cannot be removed. */
  async remove(): Promise<void> {
    await removeGroup(this.folders)
  }
}

/** The folders that a group of this name has, whether they are there or not. */
export function groupFolders(base: GroupBase, name: string): string[] {
  return base.version === 1 ? [join(base.memory, name), join(base.pids, name)] : [join(base.folder, name)]
}

/** Removes the groups that dead processes left, of whatever home. Rejects where one cannot be removed. */
export async function sweepGroups(base: GroupBase): Promise<void> {
  for (const parent of base.version === 1 ? [base.memory, base.pids] : [base.folder]) {
    await removeGroup(
      readdirSync(parent)
        .filter(isTagOfDead)
        .map((name) => join(parent, name)),
    )
  }
}

/** Ends what runs in the group of these folders and removes them; folders that are gone are no error. */
export async function removeGroup(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    for (let tries = 0; existsSync(folder); tries++) {
      for (const pid of processesIn(folder)) kill(pid)
      try {
        rmdirSync(folder)
      } catch (error) {
        // A process that is just ending keeps its group for a moment.
        if (tries === 200) throw error
        await delay(tries < 20 ? 1 : 25)
      }
    }
  }
}

function processesIn(folder: string): number[] {
  try {
    const ids = readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n')
    // 0 stands for a process of another pid namespace, and would mean our own group to kill().
    return ids.map(Number).filter((pid) => pid > 0 && pid !== process.pid)
  } catch {
    return []
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}

interface CgroupMount {
  readonly root: string
  readonly point: string
  readonly type: string
  readonly options: readonly string[]
}

function parseMount(line: string): CgroupMount[] {
  const [before = '', after = ''] = line.split(' - ')
  const [, , , root, point] = before.split(' ')
  const [type, , options] = after.split(' ')
  if (root === undefined || point === undefined || !type?.startsWith('cgroup')) return []
  return [{ root, point, type, options: options?.split(',') ?? [] }]
}

interface Membership {
  readonly controllers: readonly string[]
  readonly path: string
}

function parseMembership(line: string): Membership[] {
  const [, controllers, ...path] = line.split(':')
  return controllers === undefined ? [] : [{ controllers: controllers.split(','), path: path.join(':') }]
}

function folderOf(controller: string, mounts: CgroupMount[], own: Membership[]): string | null {
  const mount = mounts.find(({ type, options }) => type === 'cgroup' && options.includes(controller))
  const path = own.find(({ controllers }) => controllers.includes(controller))?.path
  return mount === undefined || path === undefined ? null : inside(mount, path)
}

/** Where a group is seen; a container's mount shows only the part of the tree below its root. */
function inside(mount: CgroupMount, path: string): string {
  const below = relative(mount.root, path)
  return below.startsWith('..') ? mount.point : join(mount.point, below)
}

/**
 * Of the own group and those above it, the nearest that hands memory and processes down to its children and that we
 * may write to. The own group itself seldom does: one that holds processes cannot.
 */
function unifiedBase(mounts: CgroupMount[], own: Membership[]): GroupBase | null {
  const mount = mounts.find(({ type }) => type === 'cgroup2')
  const path = own.find(({ controllers }) => controllers[0] === '')?.path
  if (mount === undefined || path === undefined) return null
  for (let folder = inside(mount, path); folder.startsWith(mount.point); folder = join(folder, '..')) {
    const handed = readFileSync(join(folder, 'cgroup.subtree_control'), 'utf8').trim().split(' ')
    const usable = handed.includes('memory') && handed.includes('pids')
    if (usable && writable(folder) && writable(join(folder, 'cgroup.procs'))) return { version: 2, folder }
  }
  return null
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function writeIfThere(file: string, text: string): void {
  if (existsSync(file)) writeFileSync(file, text)
}
