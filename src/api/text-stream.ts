/**
 * A body that asks for the next piece only when the reader has taken the one before, so that a slow reader costs one
 * piece of memory. `abort` is called when the reader goes away, and must make a waiting `pieces` go on.
 */
export function textStream(
  pieces: AsyncGenerator<string | Uint8Array, void>,
  abort: () => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await pieces.next()
        if (next.done === true) controller.close()
        else controller.enqueue(typeof next.value === 'string' ? encoder.encode(next.value) : next.value)
      },
      async cancel() {
        abort()
        await pieces.return()
      },
    },
    // Nothing is made before somebody reads: the answer to a HEAD is never read.
    { highWaterMark: 0 },
  )
}
