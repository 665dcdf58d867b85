import { JsonFault, parseJson } from './json-text.ts'
import { invalidFields, ProblemError } from './problem.ts'

/** Bytes of a request's body. */
const maxBodyBytes = 1024 * 1024

/**
 * The body of a request as JSON; `undefined` where there is none. Throws {@link ProblemError}: 400, 413, 415 or 422.
 */
export async function readJsonBody(request: Request): Promise<unknown> {
  const encoding = request.headers.get('content-encoding')
  if (encoding !== null && encoding.toLowerCase() !== 'identity') {
    throw new ProblemError('unsupported-media-type', 'send the body without a content encoding')
  }
  const bytes = await readBytes(request)
  if (bytes.length === 0) return undefined
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const { value, faults } = parseJson(text)
    if (faults.length > 0) throw invalidFields(faults)
    return value
  } catch (error) {
    if (error instanceof JsonFault) throw new ProblemError('malformed-body', `not JSON: ${error.message}`)
    if (error instanceof TypeError) throw new ProblemError('malformed-body', 'the body is not valid UTF-8')
    throw error
  }
}

/** Of calls that take nothing: refuses a body that has fields, which would otherwise be ignored in silence. */
export async function readNoBody(request: Request): Promise<void> {
  const body = await readJsonBody(request)
  if (body === undefined) return
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalidFields([{ field: 'body', message: 'must be left out, or be {}' }])
  }
  const fields = Object.keys(body)
  if (fields.length === 0) return
  throw invalidFields(fields.map((field) => ({ field, message: 'is not known: this call takes no fields' })))
}

/** The bytes of a body; throws {@link ProblemError} 413 where there are more. */
export async function readBytes(request: Request, maxBytes = maxBodyBytes): Promise<Buffer> {
  const declared = Number(request.headers.get('content-length') ?? '0')
  if (declared > maxBytes) throw tooLarge(maxBytes)
  const chunks: Uint8Array[] = []
  let length = 0
  // The declared length may be missing or a lie: what counts is what comes.
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength
    if (length > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function tooLarge(maxBytes: number): ProblemError {
  return new ProblemError('body-too-large', `at most ${maxBytes} bytes are taken`)
}
