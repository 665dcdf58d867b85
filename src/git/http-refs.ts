import type { CredentialsFor } from './credentials.ts'

/** The refs of a remote, as it answered. */
export interface Listing {
  readonly shas: ReadonlyMap<string, string>
  /** What HEAD stands for, e.g. `refs/heads/main`. */
  readonly head: string | null
}

export interface HttpRefsOptions {
  /** Proxy and certificate variables: where there are any, connections are left to git. */
  readonly passThrough: Readonly<Record<string, string>>
  readonly credentialsFor: CredentialsFor
  readonly timeoutMs: number
}

/** A remote with more refs is asked by git, which can ask for one of them. */
const maxBytes = 256 * 1024
const maxTimeoutMs = 10_000
const leaveToGitMs = 10 * 60_000
const contentType = 'application/x-git-upload-pack-advertisement'

/**
 * Asks an http remote for its refs, now, by one request of this process; for the same, git starts three and asks twice.
 * `null`: it has to be git that asks, and that says what is wrong. Never throws.
 */
export function createHttpRefs(options: HttpRefsOptions): (repo: string) => Promise<Listing | null> {
  const leftToGit = Object.keys(options.passThrough).some((name) => /_proxy$|^(?:GIT_)?SSL_/i.test(name))
  const notBefore = new Map<string, number>()

  async function ask(repo: string): Promise<Listing | null> {
    const credential = await options.credentialsFor(repo)
    const response = await fetch(`${repo}/info/refs?service=git-upload-pack`, {
      redirect: 'manual',
      headers: {
        accept: contentType,
        'user-agent': 'git/nightshift',
        // As git does: what a cache on the way remembers is no answer of the remote.
        pragma: 'no-cache',
        'cache-control': 'no-cache',
        ...(credential === null ? {} : { authorization: basic(credential) }),
      },
      signal: AbortSignal.timeout(Math.min(options.timeoutMs, maxTimeoutMs)),
    })
    const fine = response.status === 200 && response.headers.get('content-type') === contentType
    const body = fine ? await bodyOf(response) : null
    if (body !== null) return parseAdvertisement(body)
    await response.body?.cancel()
    return null
  }

  return async (repo) => {
    if (leftToGit || !/^https?:/.test(repo)) return null
    if (performance.now() < (notBefore.get(repo) ?? 0)) return null
    const listing = await ask(repo).catch(() => null)
    if (listing === null) notBefore.set(repo, performance.now() + leaveToGitMs)
    else notBefore.delete(repo)
    return listing
  }
}

function basic({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

async function bodyOf(response: Response): Promise<Buffer | null> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > maxBytes) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/**
 * Reads what a server says of its refs in version 0 of the protocol (gitprotocol-http, gitprotocol-pack): lines with
 * their length before them, the name of the service and a pause, then `SHA NAME`, with capabilities behind the first.
 * `null`: anything else.
 */
function parseAdvertisement(body: Buffer): Listing | null {
  const lines = packetLines(body)
  if (lines?.[0] !== '# service=git-upload-pack' || lines[1] !== null || lines.at(-1) !== null) return null
  const shas = new Map<string, string>()
  let head: string | null = null
  for (const line of lines.slice(2, -1)) {
    const [, sha, name, capabilities = ''] =
      /^([0-9a-f]{40}(?:[0-9a-f]{24})?) ([^\0]+)(?:\0(.*))?$/.exec(line ?? '') ?? []
    if (sha === undefined || name === undefined) return null
    head ??= /(?:^| )symref=HEAD:(\S+)/.exec(capabilities)?.[1] ?? null
    if (name !== 'capabilities^{}') shas.set(name, sha)
  }
  return { shas, head }
}

/** `null` for a pause; all of it `null`: these are no such lines. */
function packetLines(body: Buffer): (string | null)[] | null {
  const lines: (string | null)[] = []
  for (let at = 0; at < body.length;) {
    const digits = body.toString('latin1', at, at + 4)
    const length = Number.parseInt(digits, 16)
    if (!/^[0-9a-f]{4}$/.test(digits) || (length > 0 && length < 5) || at + length > body.length) return null
    lines.push(length === 0 ? null : body.toString('utf8', at + 4, at + length).replace(/\n$/, ''))
    at += Math.max(length, 4)
  }
  return lines
}
