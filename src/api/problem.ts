import { z } from '@hono/zod-openapi'

/** An error as every route answers it: RFC 9457. */
export const problemSchema = z.object({
  type: z.string().meta({ description: 'What kind of problem it is; also where /docs explains it.' }),
  title: z.string().meta({ description: 'The kind in words.' }),
  status: z.int(),
  detail: z.string().meta({ description: 'What is wrong here and what to do.' }),
  instance: z.string().meta({ description: 'The path that was called.' }),
  errors: z
    .array(
      z.object({
        field: z.string(),
        message: z.string(),
        line: z.int().optional().meta({ description: 'Line of the plan, where the fault is one of a plan.' }),
      }),
    )
    .optional()
    .meta({ description: 'Every bad field of the body, the query or the headers.' }),
  reference: z
    .string()
    .optional()
    .meta({ description: 'Stands beside the cause in the server’s log (status 500 and 503).' }),
})
type Problem = z.infer<typeof problemSchema>

/** Every kind of problem: its name in `type`, its status, its title and what it means. */
export const problemKinds = {
  'malformed-body': { status: 400, title: 'The body cannot be read' },
  'bad-host': { status: 400, title: 'The Host header is not this server' },
  unauthorized: { status: 401, title: 'A token is needed' },
  'cross-site': { status: 403, title: 'Other web pages may not call this API' },
  'read-only': { status: 403, title: 'The token may not change anything' },
  'not-found': { status: 404, title: 'There is no such thing' },
  'method-not-allowed': { status: 405, title: 'The path does not take this method' },
  conflict: { status: 409, title: 'Not in this state' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The body must be JSON' },
  'invalid-fields': { status: 422, title: 'Some fields cannot be taken' },
  'idempotency-key-reused': { status: 422, title: 'The idempotency key was used for another request' },
  internal: { status: 500, title: 'The server failed' },
  'remote-away': { status: 503, title: 'The repository’s remote does not answer' },
  'database-away': { status: 503, title: 'The database does not answer' },
} as const
export type ProblemKind = keyof typeof problemKinds

export interface FieldError {
  readonly field: string
  readonly message: string
  /** Line of a plan. */
  readonly line?: number
}

/** Thrown by anything that serves a request; answered as problem+json. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly kind: ProblemKind
  readonly errors: readonly FieldError[]
  readonly headers: Readonly<Record<string, string>>
  readonly reference: string | null

  constructor(
    kind: ProblemKind,
    detail: string,
    more: { errors?: readonly FieldError[]; headers?: Record<string, string>; reference?: string } = {},
  ) {
    super(detail)
    this.kind = kind
    this.errors = more.errors ?? []
    this.headers = more.headers ?? {}
    this.reference = more.reference ?? null
  }
}

// A body of a megabyte can hold 100,000 wrong fields with long names: the answer must not outgrow the question.
const maxErrors = 200
const maxFieldLength = 200

/** A 422 that names every bad field (of more than 200, the first 200 and how many there are). */
export function invalidFields(errors: readonly FieldError[]): ProblemError {
  const named = errors.slice(0, maxErrors).map(({ field, message, line }): FieldError => ({
    ...(line === undefined ? {} : { line }),
    field: field.slice(0, maxFieldLength),
    message: message.slice(0, 10 * maxFieldLength),
  }))
  const more = errors.length - maxErrors
  if (more > 0) named.push({ field: 'body', message: `and ${more} more fields` })
  const sentences = named.slice(0, 10).map(({ field, message }) => `${field}: ${message}`)
  return new ProblemError('invalid-fields', sentences.join('; '), { errors: named })
}

/** The answer to a failed request. `path`: what was called, without the query. */
export function problemResponse(error: ProblemError, path: string): Response {
  const { status, title } = problemKinds[error.kind]
  const problem: Problem = {
    type: `/docs#${error.kind}`,
    title,
    status,
    detail: error.message,
    instance: path,
    ...(error.errors.length === 0 ? {} : { errors: [...error.errors] }),
    ...(error.reference === null ? {} : { reference: error.reference }),
  }
  return new Response(JSON.stringify(problem), {
    status,
    headers: { ...error.headers, 'content-type': 'application/problem+json' },
  })
}
