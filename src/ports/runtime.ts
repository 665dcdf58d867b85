import type { Network } from '../model/network.ts'
import type { RuntimeName } from '../model/submission.ts'

/** Something that is missing or wrong on this machine, and what a person types to mend it. */
export interface Problem {
  readonly what: string
  readonly todo: string
}

/** Provides sandboxes. */
export interface Runtime {
  readonly name: RuntimeName
  /** Never throws. What keeps this runtime from working here; empty: it works. */
  problems(): Promise<readonly Problem[]>
  /**
   * Opens a sandbox that holds a fresh, full, independent clone, with `branch` checked out at `sha`, clean.
   * Rejects with {@link RuntimeFailure} where the machine, not the task, is at fault ({@link RuntimeAway} where all of it
   * is away for now), and with {@link ImageUnusable}.
   */
  open(spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox>
  /** Ends what earlier attempts of the task left running on this machine, and removes their files. Never throws. */
  reclaim(taskId: string): Promise<void>
  /** Ends everything it has open. */
  close(): Promise<void>
}

export interface SandboxSpec {
  readonly taskId: string
  readonly attempt: number
  /** A clone for a `review` cannot be written to. */
  readonly purpose: 'agent' | 'checks' | 'review'
  /** Container image, where the runtime has any. */
  readonly image: string | null
  /** Is put into a layer over the image where the image lacks it; a runtime without images has what its machine has. */
  readonly program: NpmProgram | null
  readonly source: CloneSource
  readonly limits: SandboxLimits
}

/** A program that an npm package brings. */
export interface NpmProgram {
  readonly package: string
  /** The version that it was tried with. */
  readonly version: string
  /** The program's name on the PATH. */
  readonly bin: string
}

export interface FoundProgram {
  /** Absolute, as it was found: a link stays a link. */
  readonly path: string
  /** As it tells itself; `null`: it does not. */
  readonly version: string | null
}

/** Where a clone comes from. */
export interface CloneSource {
  /** The remote as the task names it; what `origin` of the clone says. */
  readonly repo: string
  readonly sha: string
  /** The branch of the clone that is checked out at `sha`. */
  readonly branch: string
  /** The remote's branch that the work is for: `origin/<base>` and `origin/HEAD` of the clone are `sha`. */
  readonly base: string
  /** Path of the publisher's bare mirror on this machine, which has `sha`. */
  readonly mirror: string
  /** A bundle to be fetched on top, for the head of a task, and the SHA it brings. */
  readonly work: { readonly bundle: Buffer; readonly headSha: string } | null
}

export interface SandboxLimits {
  readonly memoryBytes: number
  readonly processes: number
}

export interface Sandbox {
  /** The program of its specification, where it comes by an image; `null`: the machine's own is the one. */
  readonly program: FoundProgram | null
  /** Path of the clone inside: the same in every sandbox. */
  readonly clonePath: string
  /**
   * Path inside of a folder beside the clone, for files that are handed out with {@link take}. Neither in the clone
   * nor visible to git.
   */
  readonly outPath: string
  /**
   * Runs one command in the clone, with stdin closed or fed, and ends everything that it started before it resolves.
   * Exit codes and limits are values; rejects with {@link RuntimeFailure} only where the machinery failed.
   */
  exec(command: Command): Promise<ExecEnd>
  /** Reads a file from `outPath`, which must be plain; `null`: there is none. Rejects with {@link TooLarge}. */
  take(name: string, maxBytes: number): Promise<Buffer | null>
  /**
   * Keeps a plain file from `outPath` for later sandboxes of this runtime, under a key that stands for what is in it; a
   * runtime may keep nothing. To be called while nothing runs inside. Rejects where it could not be kept.
   */
  keep(name: string, key: string): Promise<void>
  /** Puts a copy of what was kept under the key into `outPath`; `false`: there is nothing. */
  bring(key: string, name: string): Promise<boolean>
  /** Ends all that runs inside, removes the files and checks that they are gone. Idempotent. */
  close(): Promise<void>
}

export interface Command {
  readonly argv: readonly string[]
  /** On top of PATH, HOME, USER, LANG and TERM, which every command gets. Nothing else is inherited. */
  readonly env: Readonly<Record<string, string>>
  readonly stdin?: Buffer
  /** What this command may reach: set-up, agent and checks differ. */
  readonly network: Network
  /** Loopback TCP ports inside that lead to unix sockets of the scheduler's machine, such as a gateway's. */
  readonly relays?: readonly Relay[]
  readonly signal: AbortSignal
  /** Milliseconds until it is ended as `timed_out`. */
  readonly timeoutMs: number
  /** Milliseconds without any output until it is ended as `silent`; none by default. */
  readonly silenceMs?: number
  /** Whole lines while it runs, invalid UTF-8 replaced; a line over 64 KiB comes in parts. */
  readonly onLine?: (line: OutputLine) => void
  /** Whoever listens takes several lines at once, with line ends between them; a runtime may use that. */
  readonly manyLines?: boolean
  /** Facts worth telling, as sentences: a host that was asked for and refused. Each is told once. */
  readonly onNote?: (text: string) => void
}

/** One way out of a sandbox that is no network: whoever connects to the port reaches the socket. */
export interface Relay {
  readonly port: number
  readonly socket: string
}

export interface OutputLine {
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

export interface ExecEnd {
  readonly kind: 'exited' | 'timed_out' | 'silent' | 'aborted' | 'out_of_memory'
  /** `null` unless `exited`; 128 + signal where a signal ended it. */
  readonly exitCode: number | null
  readonly durationMs: number
  /** The last 64 KiB of each stream. */
  readonly stdoutTail: string
  readonly stderrTail: string
}

/** The machinery failed: sandbox could not be made, disk is full, engine is gone. The task is tried again. */
export class RuntimeFailure extends Error {
  override readonly name = 'RuntimeFailure'
}

/** Nothing of the runtime can be used now, as while its engines are away: no fault of the attempt, which waits for it. */
export class RuntimeAway extends RuntimeFailure {}

/** The image that the repository asks for is not there, or cannot hold a sandbox: only a person can mend it. */
export class ImageUnusable extends Error {
  override readonly name = 'ImageUnusable'
  readonly image: string

  constructor(image: string, why: string) {
    super(`the image ${image} ${why}`)
    this.image = image
  }
}

/** What a sandbox wanted to hand out is larger than allowed. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge'
  readonly maxBytes: number

  constructor(maxBytes: number) {
    super(`larger than ${maxBytes} bytes`)
    this.maxBytes = maxBytes
  }
}
