/** The server answered, and refused. */
export class ServerProblem extends Error {
  override readonly name = 'ServerProblem'
  readonly status: number
  /** Bad fields of the request, where those were the reason. */
  readonly errors: readonly { readonly field: string; readonly message: string }[]

  constructor(
    status: number,
    detail: string,
    errors: readonly { readonly field: string; readonly message: string }[] = [],
  ) {
    super(detail)
    this.status = status
    this.errors = errors
  }
}

/** No server answered. */
export class ServerUnreachable extends Error {
  override readonly name = 'ServerUnreachable'
  readonly url: string

  constructor(url: string, cause: unknown) {
    const why = reasonOf(cause)
    super(
      `no Nightshift server answers at ${url} (${why}); start one with nightshift serve, or set NIGHTSHIFT_URL`,
      { cause },
    )
    this.url = url
  }
}

// fetch says only "fetch failed"; what failed is the cause, and of several addresses the first one's.
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0])
  if (cause.cause !== undefined) return reasonOf(cause.cause)
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message
}
