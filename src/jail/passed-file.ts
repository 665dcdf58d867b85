import { randomUUID } from 'node:crypto'
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { processTag } from './process-tag.ts'

/**
 * A nameless file, to be handed to a child as an open descriptor. It is whole before the child starts, so that a
 * parent that dies halfway cannot leave a child with half its arguments, as a pipe could.
 */
export class PassedFile {
  readonly fd: number

  /** Throws the operating system's error (`ENOSPC`, …). */
  constructor(folder: string, content: Uint8Array, mode = 0o600) {
    const path = join(folder, `${processTag()}-${randomUUID()}`)
    this.fd = openSync(path, 'wx+', mode)
    try {
      unlinkSync(path)
      // A written position leaves the descriptor's own at the start, where the child begins to read.
      for (let at = 0; at < content.length;) at += writeSync(this.fd, content, at, content.length - at, at)
    } catch (error) {
      closeSync(this.fd)
      throw error
    }
  }

  /** What is in it now. */
  read(maxBytes: number): string {
    const buffer = Buffer.alloc(maxBytes)
    return buffer.subarray(0, readSync(this.fd, buffer, 0, maxBytes, 0)).toString('utf8')
  }

  close(): void {
    closeSync(this.fd)
  }
}
