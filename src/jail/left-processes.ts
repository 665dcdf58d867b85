import { readdirSync, readFileSync } from 'node:fs'

interface Facts {
  readonly name: string
  readonly parent: number
  readonly group: number
}

/** A mount by which a jail's processes are known: a folder that no other jail has, and its place inside. */
export interface LeftMount {
  readonly from: string
  readonly to: string
}

/**
 * Ends the first process of a jail that has lost its launcher. Bubblewrap binds the one's life to the other's, but a
 * launcher that is killed while it starts may be gone before that. Never throws.
 */
export function endIfOrphan(init: number): void {
  const facts = factsOf(init)
  // With a parent of that name it is somebody else's, which has got the same number.
  if (facts?.name === 'bwrap' && factsOf(facts.parent)?.name !== 'bwrap') end(init)
}

/**
 * Ends every process of the machine that has this mount, as the processes of a jail do, and what is left of the groups
 * of these launchers. Never throws.
 */
export function endLeftProcesses(mount: LeftMount, launchers: readonly number[]): void {
  for (const pid of allProcesses()) {
    const facts = factsOf(pid)
    if (facts === null || pid === process.pid) continue
    // A group's number is not given to another as long as the group has members.
    const halfMade = facts.name === 'bwrap' && facts.group !== pid && launchers.includes(facts.group)
    if (halfMade || has(pid, mount)) end(pid)
  }
}

function has(pid: number, mount: LeftMount): boolean {
  for (const line of textOf(`/proc/${pid}/mountinfo`).split('\n')) {
    const [, , , root = '', point = ''] = line.split(' ')
    // The root is told from the top of its file system, which can be mounted anywhere; `//deleted` may follow.
    const source = unescape(root).replace(/\/\/deleted$/, '')
    if (point === mount.to && source !== '/' && mount.from.endsWith(source)) return true
  }
  return false
}

function allProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function factsOf(pid: number): Facts | null {
  const stat = textOf(`/proc/${pid}/stat`)
  const [, name, parent, group] = /^\d+ \((.*)\) \S (\d+) (\d+) /s.exec(stat) ?? []
  return name === undefined ? null : { name, parent: Number(parent), group: Number(group) }
}

/** Spaces and the like are written as `\040` there. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself, or is none of ours.
  }
}
