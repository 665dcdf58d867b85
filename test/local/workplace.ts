import { existsSync } from 'node:fs'
import { chown, mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createLocalRuntime,
  type LocalRuntime,
  type LocalRuntimeOptions,
} from '../../src/local/local-runtime.ts'
import type { Command, ExecEnd, Sandbox, SandboxLimits } from '../../src/ports/runtime.ts'
import { closedFolderAbove } from '../../src/jail/staging.ts'
import { git, makeRepository, removeFolder, type Files } from '../support/repositories.ts'
import { whyNoSandbox } from '../support/no-sandbox.ts'
import { quiet } from '../support/quiet.ts'

/** A home and a repository of its own, and a runtime over them. */
export interface Workplace {
  readonly folder: string
  readonly home: string
  readonly repository: string
  readonly runtime: LocalRuntime
  /** Opens a sandbox over a clone of the repository. */
  open(facts?: { taskId?: string; attempt?: number; limits?: Partial<SandboxLimits> }): Promise<Sandbox>
  /** What is left under the home's `work`. */
  left(): Promise<string[]>
  close(): Promise<void>
}

export interface WorkplaceOptions extends Partial<LocalRuntimeOptions> {
  readonly files?: Files
}

const mebibyte = 1024 * 1024
let opened = 0

export async function makeWorkplace(options: WorkplaceOptions = {}): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), 'nightshift-local-'))
  const repository = await makeRepository(join(folder, 'repository.git'), {
    files: options.files ?? { 'README.md': '# A repository\n' },
  })
  const home = options.home ?? join(folder, 'home')
  const runtime = createLocalRuntime({
    path: '/usr/local/bin:/usr/bin:/bin',
    userHome: join(folder, 'user'),
    author: { name: 'Test', email: 'test@example.org' },
    network: ['*'],
    log: quiet,
    clone: async (source, into) => {
      await git(into, ['clone', '--quiet', '--no-hardlinks', '--branch', source.branch, source.mirror, '.'])
    },
    ...options,
    home,
  })
  return {
    folder,
    home,
    repository: repository.path,
    runtime,
    open: (facts = {}) =>
      runtime.open(
        {
          taskId: facts.taskId ?? `TASK${opened++}`,
          attempt: facts.attempt ?? 1,
          purpose: 'agent',
          program: null,
          image: null,
          source: {
            repo: repository.path,
            sha: repository.sha,
            branch: repository.branch,
            base: repository.branch,
            mirror: repository.path,
            work: null,
          },
          limits: { memoryBytes: 1024 * mebibyte, processes: 256, ...facts.limits },
        },
        new AbortController().signal,
      ),
    left: () => readdir(join(home, 'work')).catch(() => []),
    close: async () => {
      await runtime.close()
      await removeFolder(folder)
    },
  }
}

/** Runs a shell command in a sandbox, without a network unless asked for. */
export function sh(sandbox: Sandbox, script: string, more: Partial<Command> = {}): Promise<ExecEnd> {
  return sandbox.exec({
    argv: ['/bin/sh', '-c', script],
    env: {},
    network: { kind: 'none' },
    signal: new AbortController().signal,
    timeoutMs: 300_000,
    ...more,
  })
}

/**
 * Why this machine can make no sandbox; `null`: it can. Found without our own code, which would otherwise be skipped
 * where it is broken.
 */
export const noSandbox: string | null = await whyNoSandbox()

/** Why a test that needs these programs cannot run; `null`: it can. */
export function missing(...programs: readonly string[]): string | null {
  const folders = (process.env['PATH'] ?? '').split(':')
  const absent = programs.filter((program) => !folders.some((folder) => existsSync(join(folder, program))))
  return noSandbox ?? (absent.length === 0 ? null : `there is no ${absent.join(', ')} here`)
}

const somebody = '12345'

/** Runs a program as a normal user where the tests run as root; `null`: that cannot be done here. */
export const asNormalUser: readonly string[] | null =
  process.getuid?.() !== 0
    ? []
    : closedFolderAbove(process.execPath) === null && closedFolderAbove(import.meta.filename) === null
      ? ['setpriv', '--reuid', somebody, '--regid', somebody, '--clear-groups']
      : null

/** A folder that belongs to that user. */
export async function folderOfNormalUser(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nightshift-somebody-'))
  if (process.getuid?.() === 0) await chown(folder, Number(somebody), Number(somebody))
  return folder
}

/** The title of a group of tests, with the reason where they are skipped. */
export function title(text: string, skipped: string | null = noSandbox): string {
  return skipped === null ? text : `${text} (skipped: ${skipped})`
}
