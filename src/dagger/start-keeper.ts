import type { Socket } from 'node:net'
import { ImageUnusable, RuntimeFailure, type NpmProgram } from '../ports/runtime.ts'
import { settledWithin } from './dagger-sandbox.ts'
import type { Engine } from './engine.ts'
import { GraphqlError } from './graphql.ts'
import type { ExpectedCall, Hub } from './hub.ts'
import { KeeperLink } from './keeper-link.ts'
import { isAbsent, prepareImage } from './prepare-image.ts'
import type { PreparedImage } from './workbench.ts'

/** A container that is wanted. */
export interface WantedKeeper {
  readonly engine: Engine
  readonly image: string
  readonly program: NpmProgram | null
}

/** A container whose keeper has called, and waits for the plan of its sandbox. */
export interface StartedKeeper {
  readonly prepared: PreparedImage
  readonly link: KeeperLink
  readonly call: ExpectedCall
  /** Settles when the container has ended. */
  readonly running: Promise<unknown>
  /** Ends the container, whatever it does. */
  readonly kill: () => void
}

/** While a container is awaited, the engine is asked this often whether it is still there. */
const doubtMs = 15_000
const killMs = 15_000
const lastWordsMs = 5_000

/** Rejects with {@link RuntimeFailure}, with {@link ImageUnusable}, or with the signal's reason; then nothing is left. */
export async function startKeeper(
  hub: Hub,
  life: string,
  { engine, image, program }: WantedKeeper,
  signal: AbortSignal,
): Promise<StartedKeeper> {
  const opened = await engine.open()
  const call = hub.expect(life)
  const killing = new AbortController()
  let running: Promise<unknown> | null = null
  try {
    const prepared = await prepareImage(opened, engine.name, image, program)
    const container = await opened.workbench.keeper(prepared, life)
    signal.throwIfAborted()
    running = opened.workbench.run(container, killing.signal)
    running.catch(() => {})
    const socket = await called(call, running, engine, image, signal)
    const link = new KeeperLink(socket, {
      engine: engine.name,
      onFreeBytes: (bytes) => engine.noteFreeBytes(bytes),
      check: () => engine.check(),
    })
    return { prepared, link, call, running, kill: () => killing.abort() }
  } catch (error) {
    killing.abort()
    call.forget()
    if (running !== null) await settledWithin(killMs, wordsOf(running))
    signal.throwIfAborted()
    throw failureOf(engine, error)
  }
}

/** Ends a container of which nothing can come any more. Answers what to say of it, by its own last words where they tell more. */
export async function giveUp(keeper: StartedKeeper, engine: Engine, error: unknown): Promise<Error> {
  const { link, call, running } = keeper
  const lost = link.isLost
  if (lost) {
    await settledWithin(
      lastWordsMs,
      running.catch(() => {}),
    )
  }
  keeper.kill()
  link.lose('it was given up')
  call.forget()
  const said = await settledWithin(killMs, wordsOf(running))
  if (lost && said !== null && said !== 'late') return new RuntimeFailure(said, { cause: error })
  return failureOf(engine, error)
}

function failureOf(engine: Engine, error: unknown): Error {
  if (error instanceof RuntimeFailure || error instanceof ImageUnusable) return error
  return new RuntimeFailure(`a sandbox on ${engine.name} could not be opened: ${wordsWithCause(error)}`, {
    cause: error,
  })
}

function wordsWithCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}

/** What a container said that has ended badly by itself; `null`: it did not. */
async function wordsOf(running: Promise<unknown>): Promise<string | null> {
  try {
    await running
    return null
  } catch (error) {
    if (!(error instanceof GraphqlError) || error.exec === null) return null
    return `a container ended with ${error.exec.exitCode}: ${error.exec.stderr.trim().slice(-1000)}`
  }
}

/** Waits for the keeper's call. A container that has ended without one was no new container, or could not start. */
async function called(
  call: ExpectedCall,
  running: Promise<unknown>,
  engine: Engine,
  image: string,
  signal: AbortSignal,
): Promise<Socket> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  const timer = setInterval(() => {
    void engine.check().then((answers) => {
      if (!answers) aborted.reject(new RuntimeFailure(`${engine.name} does not answer any more`))
    })
  }, doubtMs)
  try {
    return await Promise.race([
      call.called,
      aborted.promise,
      running.then(
        () => Promise.reject(new RuntimeFailure(`${engine.name} answered from its cache instead of working`)),
        (error: unknown) => Promise.reject(startFailure(error, image)),
      ),
    ])
  } finally {
    clearInterval(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

function startFailure(error: unknown, image: string): Error {
  if (error instanceof GraphqlError && error.exec !== null) {
    const said = error.exec.stderr.trim().slice(-1000)
    return new RuntimeFailure(`a container ended with ${error.exec.exitCode} before it could work: ${said}`)
  }
  if (error instanceof GraphqlError && isAbsent(error.message)) return new ImageUnusable(image, error.message)
  const message = error instanceof Error ? error.message : String(error)
  return new RuntimeFailure(`a container could not be started: ${message}`, { cause: error })
}
