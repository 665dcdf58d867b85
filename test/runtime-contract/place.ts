import type {
  CloneSource,
  Command,
  ExecEnd,
  Runtime,
  Sandbox,
  SandboxLimits,
  SandboxSpec,
} from '../../src/ports/runtime.ts'
import { git, makeRepository, type Files, type MadeRepository } from '../support/repositories.ts'

/** A runtime over a home and a repository of its own. */
export interface RuntimePlace {
  readonly runtime: Runtime
  /** A temporary folder of this machine. */
  readonly folder: string
  readonly repository: MadeRepository
  /** Opens a sandbox over a clone of the repository. */
  open(facts?: SandboxFacts): Promise<Sandbox>
  close(): Promise<void>
}

export interface SandboxFacts {
  readonly taskId?: string
  readonly attempt?: number
  readonly purpose?: SandboxSpec['purpose']
  readonly program?: SandboxSpec['program']
  readonly limits?: Partial<SandboxLimits>
  readonly source?: Partial<CloneSource>
  readonly signal?: AbortSignal
}

export interface PlaceOptions {
  /** What the operator allows; by default `*`. */
  readonly network?: readonly string[]
  readonly files?: Files
}

/** A runtime under test. */
export interface RuntimeUnderTest {
  readonly name: Runtime['name']
  /** Why it cannot be tried here; `null`: it can. */
  readonly skipped: string | null
  make(options?: PlaceOptions): Promise<RuntimePlace>
  /** Variables that commands get beside those of every sandbox, such as an image's. */
  readonly moreVariables: RegExp
}

const mebibyte = 1024 * 1024
let opened = 0

/** The specification of a sandbox over a repository, which counts as its own mirror. */
export function specOf(repository: MadeRepository, facts: SandboxFacts = {}): SandboxSpec {
  return {
    taskId: facts.taskId ?? `TASK${process.pid}X${opened++}`,
    attempt: facts.attempt ?? 1,
    purpose: facts.purpose ?? 'agent',
    image: null,
    program: facts.program ?? null,
    source: {
      repo: repository.path,
      sha: repository.sha,
      branch: repository.branch,
      base: repository.branch,
      mirror: repository.path,
      work: null,
      ...facts.source,
    },
    limits: { memoryBytes: 1024 * mebibyte, processes: 256, ...facts.limits },
  }
}

/** A bare repository whose objects are packed, as a mirror's are. */
export async function makeMirror(path: string, files?: Files): Promise<MadeRepository> {
  const repository = await makeRepository(path, files === undefined ? {} : { files })
  await git(repository.path, ['repack', '-adq'])
  return repository
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

/** The title of a group of tests, with the reason where they are skipped. */
export function titleOf(under: RuntimeUnderTest, text: string): string {
  const whole = `${text}, on ${under.name}`
  return under.skipped === null ? whole : `${whole} (skipped: ${under.skipped})`
}
