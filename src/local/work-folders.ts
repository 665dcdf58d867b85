import { createHash } from 'node:crypto'
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { groupFolders, removeGroup, type GroupBase } from '../jail/cgroup.ts'
import { endLeftProcesses } from '../jail/left-processes.ts'
import { processTag } from '../jail/process-tag.ts'
import { clonePath, makeFolders, sandboxFolder, type SandboxFolder } from '../jail/sandbox-files.ts'
import { RuntimeFailure, type SandboxSpec } from '../ports/runtime.ts'
import { isAlive, type ProcessIdentity } from '../process/identity.ts'
import type { Run } from '../process/spawner.ts'
import { mayBeAlive, parseRecord, recordOfOurs, type OwnerRecord } from './owner-record.ts'
import { removeTree } from './remove-tree.ts'

/** The folder of one sandbox of this home. */
export interface WorkFolder extends SandboxFolder {
  /** Its name, which is unique on the machine's home. */
  readonly name: string
}

const recordSuffix = '.json'
const mostAtOnce = 100
const orphanMs = 60 * 60_000
let drafts = 0

/** The control group of the sandbox with this folder: another home may have a folder of the same name. */
export function groupName(folderPath: string): string {
  const place = createHash('sha256').update(dirname(folderPath)).digest('hex').slice(0, 8)
  return `${processTag()}-${place}-${basename(folderPath)}`
}

/**
 * Tells ext4 that the folders in here have nothing to do with each other. Else it makes each new clone where the last
 * one was just removed, and searches among inodes that may not be used again yet: seconds for 2,000 files.
 */
async function spread(folder: string, run: Run): Promise<void> {
  // Other file systems know no such thing, and a machine without the program is only slower.
  await run(['chattr', '+T', folder], {
    env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
    timeoutMs: 10_000,
  }).catch(() => {})
}

/** All work folders of one home, of this process and of others. */
export class WorkFolders {
  readonly #root: string
  readonly #run: Run

  constructor(home: string, run: Run) {
    this.#run = run
    this.#root = join(home, 'work')
  }

  /** Makes a folder that belongs to this process. Rejects with {@link RuntimeFailure}. */
  async create(spec: SandboxSpec, groupBase: GroupBase | null): Promise<WorkFolder> {
    if (!/^[0-9A-Za-z_]+$/.test(spec.taskId)) throw new RuntimeFailure(`no task has the id ${spec.taskId}`)
    if (mkdirSync(this.#root, { recursive: true }) !== undefined) await spread(this.#root, this.#run)
    // Whatever the umask: nobody else walks into other people's clones.
    await chmod(this.#root, 0o700)
    const wanted = `${spec.taskId}-${spec.attempt}-${spec.purpose}`
    for (let number = 1; number <= mostAtOnce; number++) {
      const name = number === 1 ? wanted : `${wanted}-${number}`
      const record = await recordOfOurs(
        spec.taskId,
        groupBase === null ? [] : groupFolders(groupBase, groupName(join(this.#root, name))),
      )
      // The record is there before the folder and goes after it, so that no folder is ever without an owner.
      if (!writeNew(this.#recordPath(name), JSON.stringify(record))) continue
      const folder = this.#layout(name)
      makeFolders(folder)
      return folder
    }
    throw new RuntimeFailure(`${wanted} has more than ${mostAtOnce} sandboxes open`)
  }

  /** Removes a folder and checks that it is gone. Rejects with {@link RuntimeFailure}. */
  async remove(name: string): Promise<void> {
    await removeTree(join(this.#root, name), this.#run)
    rmSync(this.#recordPath(name), { force: true })
  }

  /** The names of the folders that this task has, of whatever process. */
  ofTask(taskId: string): string[] {
    return this.#names().filter((name) => this.#taskOf(name) === taskId)
  }

  /** The names of the folders whose owner is certainly dead. */
  async dead(): Promise<string[]> {
    const dead: string[] = []
    for (const name of this.#names()) {
      const record = this.#record(name)
      // Without a record it may be one that its owner is just removing, and about to make anew.
      const isDead = record === null ? this.#isOld(name) : !(await mayBeAlive(record))
      if (isDead) dead.push(name)
    }
    return dead
  }

  /** Ends what was started for a folder and removes the folder, whoever it belongs to. */
  async clear(name: string): Promise<void> {
    const folder = this.#layout(name)
    const launchers = lines(folder.runFile).flatMap(parseStat)
    for (const launcher of launchers) {
      // With its group, of which it is the first: see how a command is ended.
      if (await isAlive(launcher)) killGroup(launcher.pid)
    }
    await removeGroup(this.#record(name)?.groupFolders ?? [])
    const mount = { from: folder.clone, to: clonePath }
    endLeftProcesses(
      mount,
      launchers.map(({ pid }) => pid),
    )
    await this.remove(name)
  }

  #isOld(name: string): boolean {
    const stat = statSync(join(this.#root, name), { throwIfNoEntry: false })
    return stat !== undefined && Date.now() - stat.mtimeMs > orphanMs
  }

  #names(): string[] {
    const entries = list(this.#root)
    const names = entries.map((entry) =>
      entry.endsWith(recordSuffix) ? basename(entry, recordSuffix) : entry,
    )
    return [...new Set(names)]
  }

  #taskOf(name: string): string | undefined {
    return this.#record(name)?.taskId ?? /^([0-9A-Za-z_]+)-/.exec(name)?.[1]
  }

  #record(name: string): OwnerRecord | null {
    return parseRecord(lines(this.#recordPath(name)).join('\n'))
  }

  #recordPath(name: string): string {
    return join(this.#root, `${name}${recordSuffix}`)
  }

  #layout(name: string): WorkFolder {
    return { name, ...sandboxFolder(join(this.#root, name)) }
  }
}

/** Makes a file that must not be there yet, whole from the first moment; `false`: it is there. */
function writeNew(path: string, text: string): boolean {
  const draft = join(dirname(path), `draft-${process.pid}-${drafts++}`)
  writeFileSync(draft, text, { mode: 0o600 })
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

/** A line of /proc/PID/stat. */
function parseStat(line: string): ProcessIdentity[] {
  const pid = Number.parseInt(line, 10)
  const startTicks = line.slice(line.lastIndexOf(')') + 2).split(' ')[19]
  return Number.isNaN(pid) || startTicks === undefined ? [] : [{ pid, startTicks }]
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

function lines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch {
    return []
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
