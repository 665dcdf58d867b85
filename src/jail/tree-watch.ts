import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { launcherProcesses } from './cgroup.ts'

export interface TreeUse {
  readonly processes: number
  /** Shared memory counted once, among those that share it. */
  readonly memoryBytes: number
}

/**
 * What a process and all below it use now, for machines where control groups cannot be written. Never throws: those
 * that end meanwhile count for nothing. `enoughBytes` spares the costly count as long as even the sum of all resident
 * memory is below it.
 */
export async function treeUse(root: number, enoughBytes: number): Promise<TreeUse> {
  const pids = descendants(root)
  const resident = pids.reduce((sum, pid) => sum + residentBytes(pid), 0)
  if (resident <= enoughBytes) return { processes: pids.length, memoryBytes: resident }
  let memoryBytes = 0
  for (const pid of pids) memoryBytes += await proportionalBytes(pid)
  return { processes: pids.length, memoryBytes }
}

/** A process and all below it. What was left by its parent belongs to the jail's own first process, so none is missed. */
function descendants(root: number): number[] {
  const found = [root]
  for (const pid of found) {
    for (const thread of threads(pid)) {
      const children = readOrEmpty(`/proc/${pid}/task/${thread}/children`)
      for (const child of children.split(' ')) if (child !== '') found.push(Number(child))
    }
  }
  return found
}

function threads(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readOrEmpty(`/proc/${pid}/status`))?.[1] ?? 0) * 1024
}

async function proportionalBytes(pid: number): Promise<number> {
  try {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
    return Number(/^Pss: +(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Limits that are watched where the kernel cannot be told to keep them. */
export interface WatchedLimits {
  readonly memoryBytes: number
  readonly processes: number
}

const watchEveryMs = 250

/** Looks at a tree now and then, and calls once when it is over a limit. Answers how to stop looking. */
export function watchTree(
  root: number,
  limits: WatchedLimits,
  onOver: (why: 'out_of_memory' | 'too_many_processes') => void,
): () => void {
  let timer = setTimeout(look, watchEveryMs)
  let stopped = false
  async function look() {
    const use = await treeUse(root, limits.memoryBytes)
    if (stopped) return
    if (use.memoryBytes > limits.memoryBytes) onOver('out_of_memory')
    else if (use.processes > limits.processes + launcherProcesses) onOver('too_many_processes')
    else timer = setTimeout(look, watchEveryMs)
  }
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
