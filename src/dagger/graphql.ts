import { request } from 'node:http'

/** A session of the dagger CLI, which speaks GraphQL on loopback. */
export interface SessionAddress {
  readonly port: number
  readonly token: string
}

/** The engine answered with an error. */
export class GraphqlError extends Error {
  override readonly name = 'GraphqlError'
  /** What a failed command said, where one was the cause. */
  readonly exec: { readonly exitCode: number; readonly stderr: string } | null

  constructor(message: string, exec: GraphqlError['exec']) {
    super(message)
    this.exec = exec
  }
}

/** Sends a request and answers the body, however long that takes. Rejects with the system's error, or the signal's reason. */
export function post(
  { port, token }: SessionAddress,
  body: string,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path: '/query',
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(`${token}:`).toString('base64')}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
        // A connection of its own: to break it off is what ends the work behind it, and only that.
        agent: false,
        signal,
      },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.once('error', reject)
        answer.once('end', () =>
          resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
        )
      },
    )
    asked.once('error', (error) => reject(signal.aborted ? signal.reason : error))
    asked.end(body)
  })
}

/**
 * Asks a question and answers its data. Aborting ends the containers that only this question waits for. Rejects with
 * {@link GraphqlError} where the engine said no.
 */
export async function ask(session: SessionAddress, query: string, signal: AbortSignal): Promise<unknown> {
  const { status, text } = await post(session, JSON.stringify({ query }), signal)
  const answer = parse(text)
  const [error] = answer?.errors ?? []
  if (error !== undefined) {
    const facts = error.extensions
    const exec =
      facts?.exitCode === undefined ? null : { exitCode: facts.exitCode, stderr: facts.stderr ?? '' }
    throw new GraphqlError(error.message ?? 'the engine named no cause', exec)
  }
  if (status !== 200 || answer === null)
    throw new GraphqlError(`status ${status}: ${text.slice(0, 500)}`, null)
  return answer.data
}

/** Only what is looked at. */
interface Answer {
  readonly data?: unknown
  readonly errors?: readonly {
    readonly message?: string
    readonly extensions?: { readonly exitCode?: number; readonly stderr?: string }
  }[]
}

function parse(text: string): Answer | null {
  try {
    return JSON.parse(text) as Answer
  } catch {
    return null
  }
}
