import { existsSync } from 'node:fs'
import { groupFolders, removeGroup, ResourceGroup, type GroupBase } from '../jail/cgroup.ts'
import type { OperatorRules } from '../jail/egress-rules.ts'
import type { JailPrograms, JailSpec } from '../jail/jail-spec.ts'
import { memoryFolder } from '../jail/memory-folder.ts'
import type { PipeShelf } from '../jail/output-pipes.ts'
import {
  clonePath,
  handOver,
  insideHome,
  outPath,
  setModes,
  writeCovers,
  writeGitConfig,
  type Covers,
} from '../jail/sandbox-files.ts'
import type { Log } from '../ports/log.ts'
import { RuntimeFailure, type CloneSource, type SandboxSpec } from '../ports/runtime.ts'
import { giveBack, LocalSandbox, type Holdings, type Workings } from './local-sandbox.ts'
import type { Run } from '../process/spawner.ts'
import type { Starter } from '../process/start.ts'
import type { KeptFiles } from '../jail/kept-files.ts'
import type { Machine, MachineView } from './machine-view.ts'
import { SandboxJails } from './sandbox-jails.ts'
import { hide, systemMounts } from './system-mounts.ts'
import { takeUid, type UidRange } from './uid-slots.ts'
import { groupName, type WorkFolder, type WorkFolders } from './work-folders.ts'

/** Fills an empty folder with a clone. */
export type Cloner = (source: CloneSource, folder: string, signal: AbortSignal) => Promise<void>

/** What sandboxes are opened with. */
export interface Opener {
  readonly folders: WorkFolders
  readonly kept: KeptFiles
  readonly machine: Machine
  readonly pipes: PipeShelf
  readonly run: Run
  readonly starter: Starter
  readonly programs: JailPrograms
  readonly groupBase: GroupBase | null
  readonly operator: OperatorRules
  readonly author: { readonly name: string; readonly email: string }
  readonly uids: UidRange
  readonly log: Log
}

const largestShmBytes = 256 * 1024 * 1024

/**
 * Opens a sandbox; what was made is removed again where a later step fails. Rejects with {@link RuntimeFailure}, or
 * with the signal's reason.
 */
export async function openSandbox(
  opener: Opener,
  spec: SandboxSpec,
  clone: Cloner,
  onClosed: (sandbox: LocalSandbox) => void,
  signal: AbortSignal,
): Promise<LocalSandbox> {
  signal.throwIfAborted()
  const { folders } = opener
  const held: Holdings = {
    folder: await folders.create(spec, opener.groupBase),
    uid: null,
    group: null,
    jails: null,
  }
  try {
    const workings = await fill(opener, spec, held, clone, signal)
    signal.throwIfAborted()
    return new LocalSandbox({ taskId: spec.taskId, folders, held, workings, onClosed })
  } catch (error) {
    await giveBack(folders, held).catch((left: unknown) =>
      opener.log.error('a sandbox that could not be opened was left behind', { error: String(left) }),
    )
    signal.throwIfAborted()
    if (error instanceof RuntimeFailure) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new RuntimeFailure(`a sandbox could not be opened: ${message}`, { cause: error })
  }
}

async function fill(
  opener: Opener,
  spec: SandboxSpec,
  held: Holdings,
  clone: Cloner,
  signal: AbortSignal,
): Promise<Workings> {
  const { folder } = held
  setModes(folder)
  const covers = writeCovers(folder)
  writeGitConfig(folder, opener.author)
  if (process.getuid?.() === 0) held.uid = await takeUid(opener.uids)
  // Both have to end, also where one fails: what is still at work cannot be removed.
  const steps = await Promise.allSettled([clone(spec.source, folder.clone, signal), opener.pipes.prepare()])
  for (const step of steps) if (step.status === 'rejected') throw step.reason
  if (held.uid !== null) await handOver(folder, held.uid.uid, opener.run)
  held.group = await makeGroup(opener, spec, folder)
  const uid = held.uid?.uid ?? null
  const view = opener.machine.view()
  let listener: ((text: string) => void) | undefined
  held.jails = new SandboxJails({
    programs: opener.programs,
    spec: jailSpec(spec, folder, covers, view, uid),
    passing: memoryFolder(folder.scratch),
    sockets: folder.scratch,
    operator: opener.operator,
    starter: opener.starter,
    processes: held.group === null ? spec.limits.processes : null,
    onRefused: (why) => {
      opener.log.info('a sandbox asked for a host that it may not reach', { taskId: spec.taskId, why })
      listener?.(why)
    },
  })
  return {
    jails: held.jails,
    pipes: opener.pipes,
    owner: uid,
    limits: spec.limits,
    kept: opener.kept,
    env: environment(view),
    noteTo: (next) => {
      listener = next
    },
  }
}

async function makeGroup(
  opener: Opener,
  spec: SandboxSpec,
  folder: WorkFolder,
): Promise<ResourceGroup | null> {
  if (opener.groupBase === null) return null
  const name = groupName(folder.path)
  try {
    // The folder's name is ours alone, so a group of that name was left by one that is gone.
    await removeGroup(groupFolders(opener.groupBase, name))
    return new ResourceGroup(opener.groupBase, name, spec.limits)
  } catch (error) {
    // Limits are watched then, which is slower to notice but holds as well.
    opener.log.warn('no control group could be made; limits are watched instead', { error: String(error) })
    return null
  }
}

function jailSpec(
  spec: SandboxSpec,
  folder: WorkFolder,
  covers: Covers,
  view: MachineView,
  dropTo: number | null,
): JailSpec {
  return {
    // A later mount covers an earlier one: tools may lie under /tmp, and what is hidden lies in what is seen.
    mounts: [
      ...systemMounts(covers),
      { kind: 'write', from: folder.home, to: insideHome },
      { kind: 'write', from: folder.tmp, to: '/tmp' },
      { kind: 'link', target: '/tmp', at: '/var/tmp' },
      { kind: spec.purpose === 'review' ? 'read' : 'write', from: folder.clone, to: clonePath },
      { kind: 'write', from: folder.out, to: outPath },
      ...(view.coveredHome === null ? [] : [{ kind: 'empty', at: view.coveredHome } as const]),
      // What was removed since the machine was looked at is no reason to fail.
      ...view.tools.folders
        .filter(existsSync)
        .map((path) => ({ kind: 'read', from: path, to: path }) as const),
      ...view.hidden.filter(existsSync).map((path) => hide(path, covers)),
    ],
    cwd: clonePath,
    network: 'none',
    dropTo,
    folder: folder.path,
    shmBytes: Math.min(largestShmBytes, Math.floor(spec.limits.memoryBytes / 4)),
    emptyFile: covers.emptyFile,
    emptyFolder: covers.emptyFolder,
  }
}

/** What every command starts from; nothing of our own environment is in it. */
function environment({ tools }: MachineView): Record<string, string> {
  return {
    PATH: tools.path,
    HOME: insideHome,
    USER: 'agent',
    LOGNAME: 'agent',
    SHELL: '/bin/sh',
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    TMPDIR: '/tmp',
    ...tools.env,
  }
}
