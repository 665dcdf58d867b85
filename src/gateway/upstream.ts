import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'

/** A provider that says nothing for so long is given up. */
const idleMs = 10 * 60_000

export interface Onward {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | null
  readonly signal: AbortSignal
}

/** Connections to the providers, kept open for the next request. */
export interface Upstream {
  /** Resolves with the head of the answer. Rejects with the operating system's error, or where it is aborted. */
  send(onward: Onward): Promise<IncomingMessage>
  close(): void
}

/** `proxyEnvironment`: HTTP_PROXY and the like, which newer versions of Node obey. */
export function createUpstream(proxyEnvironment: Readonly<Record<string, string>>): Upstream {
  const options = { keepAlive: true, maxFreeSockets: 16, proxyEnv: proxyEnvironment }
  const http = new HttpAgent(options)
  const https = new HttpsAgent(options)
  const send = (onward: Onward, retry: boolean): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const { method, headers, body, signal } = onward
      const secure = onward.url.startsWith('https:')
      const settings: RequestOptions = {
        method,
        headers,
        signal,
        timeout: idleMs,
        agent: secure ? https : http,
      }
      const sent = (secure ? httpsRequest : httpRequest)(onward.url, settings)
      sent.once('response', resolve)
      sent.once('timeout', () => sent.destroy(new Error('the provider said nothing for ten minutes')))
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // A connection that was kept may have been closed at the other end just then: nothing was answered on it.
        if (retry && sent.reusedSocket && error.code === 'ECONNRESET') resolve(send(onward, false))
        else reject(error)
      })
      sent.end(body ?? undefined)
    })
  return {
    send: (onward) => send(onward, true),
    close: () => {
      http.destroy()
      https.destroy()
    },
  }
}

/** The plain content of an answer, whatever it was packed in; `null`: in something unknown. */
export function unpacked(answer: IncomingMessage): Readable | null {
  const decoder = decoderFor((answer.headers['content-encoding'] ?? 'identity').trim().toLowerCase())
  if (decoder === null || decoder === 'none') return decoder === null ? null : answer
  answer.once('error', (error) => decoder.destroy(error))
  answer.once('close', () => {
    if (!answer.complete) decoder.destroy(new Error('the answer broke off'))
  })
  decoder.once('close', () => answer.destroy())
  return answer.pipe(decoder)
}

function decoderFor(encoding: string) {
  switch (encoding) {
    case 'identity':
      return 'none'
    case 'gzip':
      return createGunzip()
    case 'deflate':
      return createInflate()
    case 'br':
      return createBrotliDecompress()
    default:
      return null
  }
}
