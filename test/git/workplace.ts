import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CredentialsFor } from '../../src/git/credentials.ts'
import { localPlace } from '../../src/git/git-place.ts'
import { createPublisher, type PublisherLimits } from '../../src/git/publisher.ts'
import type { Log } from '../../src/ports/log.ts'
import type { IncomingWork, Publisher } from '../../src/ports/publisher.ts'
import { git, removeFolder } from '../support/repositories.ts'
import { run } from '../../src/process/run.ts'

export interface Workplace {
  /** A temporary folder; repositories go right into it. */
  readonly root: string
  /** The publisher's home, within root. */
  readonly home: string
  /** What was told to the log. */
  readonly told: string[]
  readonly log: Log
  open(options?: { credentialsFor?: CredentialsFor; limits?: Partial<PublisherLimits> }): Promise<Publisher>
  close(): Promise<void>
}

export async function makeWorkplace(): Promise<Workplace> {
  const root = await mkdtemp(join(tmpdir(), 'nightshift-git-'))
  const home = join(root, 'home')
  const told: string[] = []
  const note = (message: string, facts: unknown = {}) => void told.push(`${message} ${JSON.stringify(facts)}`)
  const log: Log = { info: note, warn: note, error: note }
  return {
    root,
    home,
    told,
    log,
    open: (options = {}) =>
      createPublisher({
        place: localPlace(home, run),
        path: '/usr/local/bin:/usr/bin:/bin',
        passThrough: {},
        credentialsFor: options.credentialsFor ?? (async () => null),
        log,
        ...(options.limits === undefined ? {} : { limits: options.limits }),
      }),
    close: () => removeFolder(root),
  }
}

/** A bundle of HEAD of a checkout, without what `without` names. */
export async function bundleOf(checkout: string, ...without: string[]): Promise<Buffer> {
  const file = `${checkout}.bundle`
  await git(checkout, ['bundle', 'create', '--quiet', file, 'HEAD', ...without.map((sha) => `^${sha}`)])
  const bundle = await readFile(file)
  await rm(file)
  return bundle
}

export const identity = {
  message: 'Do what was asked\n\nNightshift-Task: T1\n',
  authorName: 'Nightshift',
  authorEmail: 'nightshift@example.org',
}

/** What the pipeline would hand over for a checkout. */
export async function incoming(
  repo: string,
  baseSha: string,
  checkout: string,
  parts: Partial<IncomingWork> = {},
): Promise<IncomingWork> {
  const bundle = parts.bundle ?? (await bundleOf(checkout, baseSha))
  return { taskId: 'T1', attempt: 1, repo, baseSha, commit: identity, ...parts, bundle }
}

/** What a promise rejects with; a promise that resolves is an error. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it did not reject')
}
