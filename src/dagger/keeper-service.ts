import { statfsSync } from 'node:fs'
import type { Socket } from 'node:net'
import { TooLarge } from '../ports/runtime.ts'
import { Frames } from './frames.ts'
import { imageEnvironment, imageFault } from './image-jail.ts'
import { DamagedPacks, KeeperPacks } from './keeper-packs.ts'
import { KeeperSandbox } from './keeper-sandbox.ts'
import { LineBatch } from './line-batch.ts'
import { imageRoot, type FromKeeper, type SandboxPlan, type SentCommand, type ToKeeper } from './protocol.ts'

/** A scheduler that has said nothing for so long is gone, or frozen: it says something every few seconds. */
const lonelyMs = 60_000
const pathVariable = 'PATH'

/** Does in its sandbox what the scheduler at the other end of a connection says. */
export class Keeper {
  readonly #greeting: { token: string; life: string }
  readonly #frames: Frames<FromKeeper, ToKeeper>
  readonly #enter: (taskId: string) => Promise<() => Promise<void>>
  readonly #aborts = new Map<number, AbortController>()
  readonly #lonely: NodeJS.Timeout
  #leave: (() => Promise<void>) | null = null
  #sandbox: KeeperSandbox | null = null
  #packs: KeeperPacks | null = null
  #wanted = new Set<string>()
  #bringing = Promise.resolve()
  #plan: { plan: SandboxPlan; work: Buffer } | null = null

  /** `enter` is called before anything of a task is here, and what it answers when all is removed; `die` ends the container at once. */
  constructor(
    socket: Socket,
    greeting: { token: string; life: string },
    enter: (taskId: string) => Promise<() => Promise<void>>,
    die: (why: string) => void,
  ) {
    this.#greeting = greeting
    this.#enter = enter
    this.#lonely = setTimeout(() => die('the scheduler says nothing any more'), lonelyMs)
    this.#frames = new Frames(socket, (message, body) => this.#hear(message, body))
  }

  #hear(message: ToKeeper, body: Buffer): void {
    this.#lonely.refresh()
    switch (message.kind) {
      case 'open':
        // The body is a part of a larger buffer, which must not be kept for it.
        this.#plan = { plan: message.plan, work: Buffer.from(body) }
        void this.#open(message.plan)
        return
      case 'piece':
        this.#bring(message.file, () => this.#packs?.take(message.file, body, message.last), message.last)
        return
      case 'there':
        this.#bring(message.file, () => this.#packs?.awaitFile(message.file), true)
        return
      case 'give_up':
        return this.#refuse('the packs of the mirror could not be brought', null)
      case 'exec':
        void this.#exec(message.id, message.command, body)
        return
      case 'abort':
        this.#aborts.get(message.id)?.abort()
        return
      case 'take':
        void this.#take(message.id, message.name, message.maxBytes)
        return
      case 'keep':
      case 'bring':
        void this.#keep(message)
        return
      case 'ping':
        return this.#frames.send({ kind: 'pong', freeBytes: freeBytes() })
      case 'close':
        void this.#close()
        return
      case 'bye':
        process.exit(0)
        return
      default:
        message satisfies never
    }
  }

  #refuse(message: string, fault: 'image' | 'mirror' | null): void {
    this.#frames.send({ kind: 'not_opened', message, fault })
  }

  async #open(plan: SandboxPlan): Promise<void> {
    const fault = imageFault(imageRoot, imageEnvironment(plan.imageEnv)[pathVariable] ?? '')
    if (fault !== null) return this.#refuse(fault, 'image')
    try {
      this.#leave = await this.#enter(plan.taskId)
      this.#packs = new KeeperPacks(plan, this.#greeting.life)
      this.#wanted = new Set(await this.#packs.missing())
      if (this.#wanted.size > 0) this.#frames.send({ kind: 'wanted', files: [...this.#wanted] })
      else await this.#make()
    } catch (error) {
      this.#refuse(wordsOf(error), null)
    }
  }

  /** One piece after the other; when the last has come, the sandbox is made. */
  #bring(file: string, work: () => Promise<void> | undefined, last: boolean): void {
    this.#bringing = this.#bringing
      .then(work)
      .then(() => {
        if (!last) return
        this.#wanted.delete(file)
        if (this.#wanted.size === 0) return this.#make()
      })
      .catch((error: unknown) => this.#refuse(wordsOf(error), null))
  }

  async #make(): Promise<void> {
    const [packs, given] = [this.#packs, this.#plan]
    if (packs === null || given === null) return
    try {
      const { plan, work } = given
      this.#sandbox = await KeeperSandbox.make(imageRoot, plan, this.#greeting, (folder, user) =>
        packs.clone(plan, work, folder, user),
      )
      this.#plan = null
      this.#frames.send({ kind: 'opened' })
    } catch (error) {
      this.#refuse(wordsOf(error), error instanceof DamagedPacks ? 'mirror' : null)
    }
  }

  async #exec(id: number, command: SentCommand, stdin: Buffer): Promise<void> {
    const controller = new AbortController()
    this.#aborts.set(id, controller)
    const lines = new LineBatch((batch) => this.#frames.send({ kind: 'lines', id, lines: batch }))
    try {
      if (this.#sandbox === null) throw new Error('there is no sandbox yet')
      const end = await this.#sandbox.exec(command, {
        signal: controller.signal,
        stdin,
        onLine: (line) => lines.add(line),
        pace: () => this.#frames.room(),
      })
      lines.flush()
      this.#frames.send({ kind: 'ended', id, end })
    } catch (error) {
      lines.flush()
      this.#frames.send({ kind: 'failed', id, message: wordsOf(error) })
    } finally {
      this.#aborts.delete(id)
    }
  }

  async #take(id: number, name: string, maxBytes: number): Promise<void> {
    try {
      const file = (await this.#sandbox?.take(name, maxBytes)) ?? null
      if (file === null) this.#frames.send({ kind: 'taken', id, state: 'none' })
      else this.#frames.send({ kind: 'taken', id, state: 'file' }, file)
    } catch (error) {
      if (error instanceof TooLarge) this.#frames.send({ kind: 'taken', id, state: 'too_large' })
      else this.#frames.send({ kind: 'failed', id, message: wordsOf(error) })
    }
  }

  async #keep({ kind, id, name, key }: Extract<ToKeeper, { kind: 'keep' | 'bring' }>): Promise<void> {
    try {
      if (this.#sandbox === null) throw new Error('there is no sandbox yet')
      const there =
        kind === 'bring'
          ? await this.#sandbox.bring(key, name)
          : await this.#sandbox.keep(name, key).then(() => true)
      this.#frames.send({ kind: 'kept', id, there })
    } catch (error) {
      this.#frames.send({ kind: 'failed', id, message: wordsOf(error) })
    }
  }

  async #close(): Promise<void> {
    let fault: string | null = null
    try {
      await this.#sandbox?.close()
      await this.#packs?.close()
    } catch (error) {
      fault = wordsOf(error)
    }
    await this.#leave?.()
    this.#frames.send({ kind: 'closed', fault })
  }
}

/** Bytes that are free where this container keeps its files: on the engine's disk. */
export function freeBytes(): number {
  const { bavail, bsize } = statfsSync('/')
  return bavail * bsize
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
