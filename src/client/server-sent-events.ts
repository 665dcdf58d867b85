/** One message of an event stream. */
export interface ServerSentEvent {
  readonly event: string
  readonly data: string
  /** `''`: it has none. */
  readonly id: string
}

/**
 * The messages of a `text/event-stream` body (WHATWG HTML, 9.2.6), a comment being one without data.
 */
export async function* serverSentEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<ServerSentEvent, void> {
  let event = 'message'
  let data: string[] = []
  let id = ''
  for await (const line of lines(body)) {
    if (line === '') {
      yield { event, data: data.join('\n'), id }
      event = 'message'
      data = []
      id = ''
      continue
    }
    const [, field, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (field === 'event') event = value ?? ''
    if (field === 'id') id = value ?? ''
    if (field === 'data') data.push(value ?? '')
  }
}

/** Lines that ended; what comes after the last end of a line was cut off, and is dropped. */
async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder()
  let rest: string[] = []
  for await (const chunk of body) {
    const [first = '', ...more] = decoder.decode(chunk, { stream: true }).split('\n')
    rest.push(first)
    for (const next of more) {
      yield rest.join('').replace(/\r$/, '')
      rest = [next]
    }
  }
}
