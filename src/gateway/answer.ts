import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { EventStream } from './event-stream.ts'
import { headersBack } from './headers.ts'
import { parseJson } from './json.ts'
import type { AnswerReader } from './provider.ts'
import { unpacked } from './upstream.ts'

/** An answer in one piece is read for its numbers up to this size. */
const maxWholeBytes = 32 * 1024 * 1024
/** What is known of an answer while it passes. */
export class AnswerTap {
  readonly reader: AnswerReader
  readonly #events: EventStream | null
  #whole: Buffer[] = []
  #wholeBytes = 0

  constructor(reader: AnswerReader, contentType: string) {
    this.reader = reader
    this.#events = contentType.startsWith('text/event-stream')
      ? new EventStream((data) => reader.read(parseJson(data)))
      : null
  }

  write(chunk: Buffer): void {
    if (this.#events !== null) return this.#events.write(chunk)
    this.#wholeBytes += chunk.length
    if (this.#wholeBytes <= maxWholeBytes) this.#whole.push(chunk)
    else this.#whole = []
  }

  end(): void {
    if (this.#events !== null) return this.#events.end()
    this.reader.read(parseJson(Buffer.concat(this.#whole).toString('utf8')))
    this.#whole = []
  }

  /** Characters that the model has said so far, about. */
  get said(): number {
    return this.#events === null ? this.#wholeBytes : this.reader.said()
  }
}

/**
 * Passes an answer on as it comes, no faster than it is taken, and looks at it on the way. Rejects where either side
 * breaks off; what was read until then stays in the tap.
 */
export async function passOn(
  answer: IncomingMessage,
  reply: ServerResponse,
  tap: AnswerTap,
  signal: AbortSignal,
): Promise<void> {
  const content = unpacked(answer)
  if (content === null) throw new Error('the provider answered in an encoding that is not understood')
  reply.writeHead(answer.statusCode ?? 502, headersBack(answer.headers))
  reply.flushHeaders()
  try {
    await pour(content, reply, tap, signal)
    // The end is told last, when all is counted: who hears of it may look at the numbers.
    tap.end()
    reply.end()
  } catch (error) {
    tap.end()
    content.destroy()
    answer.destroy()
    reply.destroy()
    throw error
  }
}

async function pour(
  content: Readable,
  reply: ServerResponse,
  tap: AnswerTap,
  signal: AbortSignal,
): Promise<void> {
  for await (const chunk of content as AsyncIterable<Buffer>) {
    const room = reply.write(chunk)
    tap.write(chunk)
    signal.throwIfAborted()
    if (!room) await once(reply, 'drain', { signal })
  }
}

const maxRefusalBytes = 256 * 1024

/** The body of a refusal, as far as it is of a sane size; what it says is JSON, or text. */
export async function readRefusal(answer: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of (unpacked(answer) ?? []) as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > maxRefusalBytes) break
      chunks.push(chunk)
    }
  } catch {
    // A refusal that breaks off is one all the same.
  }
  answer.destroy()
  const words = Buffer.concat(chunks).toString('utf8')
  return parseJson(words) ?? words
}
