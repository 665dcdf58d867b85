import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { suspectMark } from '../git/bare-repository.ts'
import type { OperatorRules } from '../jail/egress-rules.ts'
import type { Log } from '../ports/log.ts'
import { ImageUnusable, RuntimeFailure, type SandboxSpec } from '../ports/runtime.ts'
import { DaggerSandbox, settledWithin } from './dagger-sandbox.ts'
import type { Engine } from './engine.ts'
import { GraphqlError } from './graphql.ts'
import type { ExpectedCall, Hub } from './hub.ts'
import { KeeperLink } from './keeper-link.ts'
import { packsOf, type PackFeed } from './pack-feed.ts'
import { isAbsent, prepareImage } from './prepare-image.ts'
import type { SandboxPlan } from './protocol.ts'
import type { PreparedImage } from './workbench.ts'

/** What sandboxes are opened with. */
export interface SandboxMaker {
  readonly hub: Hub
  readonly feed: PackFeed
  readonly operator: OperatorRules
  readonly author: { readonly name: string; readonly email: string }
  /** The image of repositories that name none. */
  readonly image: string
  readonly log: Log
  readonly newLife: () => string
  readonly onClosed: (sandbox: DaggerSandbox, engine: Engine) => void
}

/** While a container is awaited, the engine is asked this often whether it is still there. */
const doubtMs = 15_000
const killMs = 15_000
const lastWordsMs = 5_000

/**
 * Opens a sandbox on an engine; what was started is ended again where a later step fails. Rejects with
 * {@link RuntimeFailure}, with {@link ImageUnusable}, or with the signal's reason.
 */
export async function openDaggerSandbox(
  maker: SandboxMaker,
  engine: Engine,
  spec: SandboxSpec,
  signal: AbortSignal,
): Promise<DaggerSandbox> {
  const opened = await engine.open()
  const name = spec.image ?? maker.image
  const life = maker.newLife()
  const call = maker.hub.expect(life)
  const killing = new AbortController()
  let running: Promise<unknown> | null = null
  let link: KeeperLink | null = null
  try {
    const prepared = await prepareImage(opened, engine.name, name, spec.program)
    const container = await opened.workbench.keeper(prepared, {
      taskId: spec.taskId,
      attempt: spec.attempt,
      life,
    })
    signal.throwIfAborted()
    running = opened.workbench.run(container, killing.signal)
    running.catch(() => {})
    const socket = await called(call, running, engine, name, signal)
    link = new KeeperLink(socket, {
      engine: engine.name,
      onFreeBytes: (bytes) => engine.noteFreeBytes(bytes),
      check: () => engine.check(),
    })
    await fill(maker, link, { spec, image: name, prepared, signal })
    return new DaggerSandbox({
      taskId: spec.taskId,
      program: prepared.program,
      engine: engine.name,
      link,
      call,
      running,
      kill: () => killing.abort(),
      sockets: dirname(maker.hub.path),
      operator: maker.operator,
      log: maker.log,
      onClosed: (sandbox) => maker.onClosed(sandbox, engine),
    })
  } catch (error) {
    const lost = link?.isLost === true
    // Its own last words tell more than the connection that broke.
    if (lost && running !== null)
      await settledWithin(
        lastWordsMs,
        running.catch(() => {}),
      )
    killing.abort()
    link?.lose('it was given up')
    call.forget()
    const said = running === null ? null : await settledWithin(killMs, wordsOf(running))
    signal.throwIfAborted()
    if (lost && said !== null && said !== 'late') throw new RuntimeFailure(said, { cause: error })
    if (error instanceof RuntimeFailure || error instanceof ImageUnusable) throw error
    throw new RuntimeFailure(`a sandbox on ${engine.name} could not be opened: ${wordsWithCause(error)}`, {
      cause: error,
    })
  }
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

/** Has the keeper make its sandbox, and brings what it needs. */
async function fill(
  maker: SandboxMaker,
  link: KeeperLink,
  facts: { spec: SandboxSpec; image: string; prepared: PreparedImage; signal: AbortSignal },
): Promise<void> {
  const { source, limits } = facts.spec
  const packsFolder = createHash('sha256').update(source.repo).digest('hex').slice(0, 32)
  const plan: SandboxPlan = {
    repo: source.repo,
    sha: source.sha,
    branch: source.branch,
    base: source.base,
    headSha: source.work?.headSha ?? null,
    isForReading: facts.spec.purpose === 'review',
    packsFolder,
    packs: await packsOf(source.mirror),
    author: maker.author,
    limits,
    imageEnv: facts.prepared.env,
  }
  let fault: unknown = null
  const bring = (files: readonly string[]) => {
    maker.feed.feed(link, source.mirror, packsFolder, files).catch((error: unknown) => {
      fault = error
      link.send({ kind: 'give_up' })
    })
  }
  const onAbort = () => link.lose('it is not needed any more')
  facts.signal.addEventListener('abort', onAbort, { once: true })
  try {
    const said = await link.open({ kind: 'open', plan }, source.work?.bundle, bring)
    if (said.kind === 'opened') return
    const message = said.kind === 'not_opened' ? said.message : `the keeper said ${said.kind}`
    const why = said.kind === 'not_opened' ? said.fault : null
    if (why === 'image') throw new ImageUnusable(facts.image, message)
    // The clone has failed already, and says so; a mirror that is gone needs no mark.
    if (why === 'mirror') await writeFile(join(source.mirror, suspectMark), '').catch(() => {})
    throw new RuntimeFailure(fault === null ? message : `${message}: ${String(fault)}`, { cause: fault })
  } finally {
    facts.signal.removeEventListener('abort', onAbort)
  }
}
