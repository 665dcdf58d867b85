import type { TaskEvent } from '../model/event.ts'

const encoder = new TextEncoder()
// Many readers are sent the same page: it is written once.
const written = new WeakMap<readonly TaskEvent[], Uint8Array>()

/** Events as server-sent events, each with its id. */
export function sentEvents(events: readonly TaskEvent[]): Uint8Array {
  const known = written.get(events)
  if (known !== undefined) return known
  const text = events.map((event) => `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`).join('')
  const bytes = encoder.encode(text)
  written.set(events, bytes)
  return bytes
}
