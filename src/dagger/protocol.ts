import type { Command, ExecEnd, SandboxLimits } from '../ports/runtime.ts'

/** Where the socket of the scheduler is seen in a container. */
export const schedulerSocket = '/run/nightshift/scheduler.sock'
/** Where the repository's image lies in a container: a root file system, not a host. */
export const imageRoot = '/image'
/** The cache volume with the packs of mirrors. No command of a task ever sees it. */
export const packsRoot = '/var/cache/nightshift/packs'
/** The cache volume with what set-ups made of bases. No command of a task ever sees it. */
export const keptRoot = '/var/cache/nightshift/kept'
/** The cache volume by which attempts of other schedulers are found and ended. */
export const livesRoot = '/var/cache/nightshift/lives'
/** Variables of the keeper's environment. */
export const keeperVariables = {
  token: 'NIGHTSHIFT_KEEPER_TOKEN',
  life: 'NIGHTSHIFT_KEEPER_LIFE',
} as const

/** First line of every connection from a container, as JSON: whose it is, and what for. */
export interface Greeting {
  readonly token: string
  /** The sandbox's own number, which nothing else has had. */
  readonly life: string
  /** `null`: the connection for messages. Otherwise: through to the relay of this number. */
  readonly relay: number | null
}

/** Everything that a keeper has to know to make its sandbox. */
export interface SandboxPlan {
  readonly taskId: string
  readonly repo: string
  readonly sha: string
  readonly branch: string
  readonly base: string
  readonly headSha: string | null
  /** Commands read the clone, and cannot write to it. */
  readonly isForReading: boolean
  /** The folder of this repository's packs in the cache volume. */
  readonly packsFolder: string
  readonly packs: readonly string[]
  readonly author: { readonly name: string; readonly email: string }
  readonly limits: SandboxLimits
  /** Variables that the image sets. */
  readonly imageEnv: Readonly<Record<string, string>>
}

/** A command, as far as it travels. Hosts are reached by a relay, whose proxy is beside the scheduler. */
export interface SentCommand extends Pick<Command, 'argv' | 'env' | 'timeoutMs' | 'silenceMs'> {
  readonly network: 'none' | 'proxy' | 'full'
  readonly relays: readonly { readonly port: number; readonly relay: number }[]
  readonly stdin: boolean
}

export type ToKeeper =
  /** Body: the bundle of work that comes on top, or nothing. */
  | { kind: 'open'; plan: SandboxPlan }
  /** Body: the next bytes of a file that the keeper wanted; after the last ones it is there. */
  | { kind: 'piece'; file: string; last: boolean }
  /** Somebody else has brought this file meanwhile. */
  | { kind: 'there'; file: string }
  /** The scheduler cannot bring the packs. */
  | { kind: 'give_up' }
  /** Body: stdin. */
  | { kind: 'exec'; id: number; command: SentCommand }
  | { kind: 'abort'; id: number }
  | { kind: 'take'; id: number; name: string; maxBytes: number }
  /** As `Sandbox.keep` and `Sandbox.bring`. */
  | { kind: 'keep' | 'bring'; id: number; name: string; key: string }
  | { kind: 'ping' }
  | { kind: 'close' }
  /** What the keeper said last has come: it may end. */
  | { kind: 'bye' }

export type FromKeeper =
  /** Files of packs that the cache volume lacks. */
  | { kind: 'wanted'; files: readonly string[] }
  | { kind: 'opened' }
  | { kind: 'not_opened'; message: string; fault: 'image' | 'mirror' | null }
  | { kind: 'lines'; id: number; lines: readonly (readonly [stream: 1 | 2, text: string])[] }
  | { kind: 'ended'; id: number; end: ExecEnd }
  | { kind: 'failed'; id: number; message: string }
  /** Body: the file. */
  | { kind: 'taken'; id: number; state: 'file' | 'none' | 'too_large' }
  /** `there`: it was kept, or brought. */
  | { kind: 'kept'; id: number; there: boolean }
  /** Bytes that are free on the engine's disk. */
  | { kind: 'pong'; freeBytes: number }
  | { kind: 'closed'; fault: string | null }
