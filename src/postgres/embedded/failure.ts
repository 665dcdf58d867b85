/** The embedded database cannot be used. The message says what is wrong, `todo` what a person does about it. */
export class EmbeddedFailure extends Error {
  override readonly name = 'EmbeddedFailure'
  readonly todo: string

  constructor(what: string, todo: string, cause?: unknown) {
    super(`${what}; ${todo}`, { cause })
    this.todo = todo
  }
}
