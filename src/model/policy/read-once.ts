import type { JudgedWork } from './work.ts'

const most = { fileBytes: 64 * 1024, allBytes: 32 * 1024 * 1024 }

/** Reads a small file once, however many rules look at it, as long as all of them together stay small. */
export function readOnce(readFile: JudgedWork['readFile']): JudgedWork['readFile'] {
  const known = new Map<string, Buffer | null>()
  let left = most.allBytes
  return async (at, path, maxBytes) => {
    const key = `${at}:${path}`
    const before = known.get(key)
    if (before !== undefined) return before === null ? null : before.subarray(0, maxBytes)
    const bytes = await readFile(at, path, maxBytes)
    const size = bytes?.length ?? 0
    // As long as was asked for: there may be more of it.
    if (size < maxBytes && size <= most.fileBytes && size <= left) {
      left -= size
      known.set(key, bytes)
    }
    return bytes
  }
}
