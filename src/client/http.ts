import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { ServerProblem, ServerUnreachable } from './failures.ts'

export interface HttpOptions {
  /** Without a slash at the end. */
  readonly url: string
  readonly token: string | null
  /** Ends everything that is under way; what is awaited then rejects with its reason. */
  readonly signal: AbortSignal
}

export interface HttpRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Ends this request alone. */
  readonly signal?: AbortSignal
}

const answerMs = 60_000
/** Waits before the second and the third try, in milliseconds. */
const waits = [250, 1000]

const problemSchema = z.object({
  detail: z.string(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
})

/** Speaks to one server. Every request must be one that may be sent twice. */
export class Http {
  readonly url: string
  readonly #options: HttpOptions

  constructor(options: HttpOptions) {
    this.url = options.url
    this.#options = options
  }

  /** A JSON answer of the shape. Rejects with {@link ServerProblem} or {@link ServerUnreachable}. */
  async json<T>(path: string, shape: z.ZodType<T>, request: HttpRequest = {}): Promise<T> {
    const text = await (await this.whole(path, request)).text()
    try {
      return shape.parse(JSON.parse(text))
    } catch {
      throw new ServerProblem(502, `${this.#options.url}${path} is no Nightshift server of this version`)
    }
  }

  /** An answer that comes soon; asked for up to three times. Rejects as {@link json} does. */
  async whole(path: string, request: HttpRequest = {}): Promise<Response> {
    for (const wait of waits) {
      try {
        return await this.open(path, { signal: AbortSignal.timeout(answerMs), ...request })
      } catch (error) {
        const maybeLater =
          error instanceof ServerUnreachable || (error instanceof ServerProblem && error.status === 503)
        if (!maybeLater) throw error
      }
      await sleep(wait, undefined, { signal: this.#options.signal })
    }
    return this.open(path, { signal: AbortSignal.timeout(answerMs), ...request })
  }

  /** An answer as soon as it begins; asked for once. Rejects as {@link json} does. */
  async open(path: string, request: HttpRequest = {}): Promise<Response> {
    const { url, token, signal } = this.#options
    signal.throwIfAborted()
    let response: Response
    try {
      response = await fetch(`${url}${path}`, {
        method: request.method ?? 'GET',
        redirect: 'manual',
        signal: request.signal === undefined ? signal : AbortSignal.any([signal, request.signal]),
        headers: {
          accept: 'application/json',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...request.headers,
        },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      })
    } catch (error) {
      signal.throwIfAborted()
      throw new ServerUnreachable(url, error)
    }
    if (response.ok) return response
    throw await problemOf(response, url)
  }
}

async function problemOf(response: Response, url: string): Promise<ServerProblem> {
  const location = response.headers.get('location')
  if (response.status >= 300 && response.status < 400) {
    return new ServerProblem(
      response.status,
      `${url} sends elsewhere: set NIGHTSHIFT_URL to ${location ?? 'it'}`,
    )
  }
  const text = await response.text().catch(() => '')
  try {
    const { detail, errors } = problemSchema.parse(JSON.parse(text))
    return new ServerProblem(response.status, explained(response.status, detail), errors)
  } catch {
    return new ServerProblem(response.status, `${url} answered with status ${response.status} and no reason`)
  }
}

function explained(status: number, detail: string): string {
  return status === 401 ? `${detail}; set NIGHTSHIFT_TOKEN` : detail
}
