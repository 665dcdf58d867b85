import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { suspectMark } from '../git/bare-repository.ts'
import type { OperatorRules } from '../jail/egress-rules.ts'
import type { Log } from '../ports/log.ts'
import { ImageUnusable, RuntimeFailure, type SandboxSpec } from '../ports/runtime.ts'
import { DaggerSandbox } from './dagger-sandbox.ts'
import type { Engine } from './engine.ts'
import type { Hub } from './hub.ts'
import type { KeeperLink } from './keeper-link.ts'
import { packsOf, type PackFeed } from './pack-feed.ts'
import type { SandboxPlan } from './protocol.ts'
import { giveUp, type StartedKeeper, type WantedKeeper } from './start-keeper.ts'
import type { PreparedImage } from './workbench.ts'

/** What sandboxes are opened with. */
export interface SandboxMaker {
  readonly hub: Hub
  readonly feed: PackFeed
  readonly operator: OperatorRules
  readonly author: { readonly name: string; readonly email: string }
  readonly log: Log
  readonly onClosed: (sandbox: DaggerSandbox, engine: Engine) => void
}

/**
 * Makes a sandbox in a container that waits for it, which is ended where that fails. Rejects with
 * {@link RuntimeFailure}, with {@link ImageUnusable}, or with the signal's reason.
 */
export async function openDaggerSandbox(
  maker: SandboxMaker,
  keeper: StartedKeeper,
  { engine, image }: WantedKeeper,
  spec: SandboxSpec,
  signal: AbortSignal,
): Promise<DaggerSandbox> {
  const { prepared, link, call, running } = keeper
  try {
    signal.throwIfAborted()
    await fill(maker, link, { spec, image, prepared, signal })
    signal.throwIfAborted()
  } catch (error) {
    const failure = await giveUp(keeper, engine, error)
    signal.throwIfAborted()
    throw failure
  }
  return new DaggerSandbox({
    taskId: spec.taskId,
    program: prepared.program,
    engine: engine.name,
    link,
    call,
    running,
    kill: () => keeper.kill(),
    sockets: dirname(maker.hub.path),
    operator: maker.operator,
    log: maker.log,
    onClosed: (sandbox) => maker.onClosed(sandbox, engine),
  })
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
    taskId: facts.spec.taskId,
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
  // What was aborted while the packs were looked for is heard by no listener any more.
  facts.signal.throwIfAborted()
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
