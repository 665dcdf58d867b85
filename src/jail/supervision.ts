import type { Command } from '../ports/runtime.ts'
import type { StartedJail } from './jail.ts'
import { watchTree, type WatchedLimits } from './tree-watch.ts'

/** Why we ended a command. */
export type Reason = 'timed_out' | 'silent' | 'aborted' | 'out_of_memory' | 'too_many_processes'

/** Ends a command when one of its limits is reached, and remembers which was the first. */
export class Supervision {
  reason: Reason | null = null
  fault: { readonly error: unknown } | null = null
  /** Resolves when the launcher has ended, however; rejects where nobody can tell any more. */
  readonly exited: Promise<void>
  readonly #started: StartedJail
  readonly #command: Command
  readonly #timer: NodeJS.Timeout
  readonly #silence: NodeJS.Timeout | null
  readonly #onAbort = () => this.#end('aborted')
  readonly #stopWatch: () => void

  constructor(started: StartedJail, command: Command, limits: WatchedLimits, watched: boolean) {
    this.#started = started
    this.#command = command
    this.exited = started.program.exited
    this.#timer = setTimeout(() => this.#end('timed_out'), command.timeoutMs)
    this.#silence =
      command.silenceMs === undefined ? null : setTimeout(() => this.#end('silent'), command.silenceMs)
    command.signal.addEventListener('abort', this.#onAbort, { once: true })
    const { pid } = started.program
    this.#stopWatch = watched ? watchTree(pid, limits, (why) => this.#end(why)) : () => {}
    this.exited.catch((error: unknown) => this.fail(error))
    // It may have been aborted while the start was prepared, before anybody listened.
    if (command.signal.aborted) this.#end('aborted')
  }

  heard(): void {
    this.#silence?.refresh()
  }

  stop(): void {
    clearTimeout(this.#timer)
    if (this.#silence !== null) clearTimeout(this.#silence)
    this.#command.signal.removeEventListener('abort', this.#onAbort)
    this.#stopWatch()
  }

  /** Ends the command, since somebody who listens to it has failed. */
  fail(error: unknown): void {
    this.fault ??= { error }
    this.#end('aborted')
  }

  #end(reason: Reason): void {
    this.reason ??= reason
    try {
      // Whatever the jail holds dies with its launcher, stopped processes too. The whole group, since a launcher that
      // is just forking has not yet bound its child's life to its own.
      process.kill(-this.#started.program.pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
}
