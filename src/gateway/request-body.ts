import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { isObject, parseJson, type Json } from './json.ts'

/** More than any provider takes in one request. */
export const maxBodyBytes = 32 * 1024 * 1024

/** A request that cannot be passed on, with the status that says so. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const decoders: Readonly<
  Record<string, (bytes: Buffer, limit: { maxOutputLength: number }) => Promise<Buffer>>
> = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
}

/** Bytes of bodies that one session holds at once, until what was asked with them has been answered. */
export class BodyRoom {
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Throws {@link BadRequest} where there is no more room. */
  take(bytes: number): void {
    if (this.#bytes + bytes > this.#maxBytes) throw new BadRequest(503, 'too much is being asked at once')
    this.#bytes += bytes
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes
  }
}

/** A body in memory; whoever read it gives its room back. */
export interface Body {
  readonly json: Json
  readonly bytes: number
  release(): void
}

/** Reads a JSON object from a request. Rejects with {@link BadRequest}. */
export async function readBody(asked: IncomingMessage, room: BodyRoom): Promise<Body> {
  let held = 0
  const hold = (bytes: number) => {
    room.take(bytes)
    held += bytes
  }
  try {
    const raw = await read(asked, hold)
    const bytes = await decoded(asked, raw)
    hold(Math.max(0, bytes.length - raw.length))
    const json = parseJson(bytes.toString('utf8'))
    if (!isObject(json)) throw new BadRequest(400, 'the body is no JSON object')
    return { json, bytes: bytes.length, release: () => room.giveBack(held) }
  } catch (error) {
    room.giveBack(held)
    throw error
  }
}

async function read(asked: IncomingMessage, hold: (bytes: number) => void): Promise<Buffer> {
  if (Number(asked.headers['content-length'] ?? 0) > maxBodyBytes) throw tooLong()
  const chunks: Buffer[] = []
  let bytes = 0
  // The connection is still needed for the answer.
  for await (const chunk of asked.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBodyBytes) throw tooLong()
    hold(chunk.length)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function decoded(asked: IncomingMessage, raw: Buffer): Promise<Buffer> {
  const encoding = (asked.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding === 'identity') return raw
  const decode = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined
  if (decode === undefined) {
    throw new BadRequest(415, `the encoding ${JSON.stringify(encoding.slice(0, 40))} is not understood`)
  }
  try {
    return await decode(raw, { maxOutputLength: maxBodyBytes })
  } catch (error) {
    const tooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
    throw tooLarge ? tooLong() : new BadRequest(400, 'the body is not encoded as it says')
  }
}

function tooLong(): BadRequest {
  return new BadRequest(413, `the request has more than ${maxBodyBytes} bytes`)
}
