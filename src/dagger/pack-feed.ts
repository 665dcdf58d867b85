import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { KeeperLink } from './keeper-link.ts'

const pieceBytes = 1024 * 1024

/** The names of the packs that a mirror has, without their endings. Rejects with the operating system's error. */
export async function packsOf(mirror: string): Promise<string[]> {
  const names = await readdir(join(mirror, 'objects', 'pack'))
  // Git writes the index last and removes it first: where there is one, its pack is whole.
  return names.filter((name) => name.endsWith('.idx')).map((name) => name.slice(0, -'.idx'.length))
}

/** Brings packs to an engine: each once, however many sandboxes want it at the same time. */
export class PackFeed {
  readonly #bringing = new Map<string, Promise<void>>()

  /** Brings files of a mirror to one keeper. Rejects with the operating system's error. */
  async feed(link: KeeperLink, mirror: string, folder: string, files: readonly string[]): Promise<void> {
    for (const file of files) {
      const key = `${folder}/${file}`
      const other = this.#bringing.get(key)
      const brought =
        other === undefined
          ? false
          : await other.then(
              () => true,
              () => false,
            )
      if (brought) {
        link.send({ kind: 'there', file })
        continue
      }
      const bringing = send(link, mirror, file)
      this.#bringing.set(key, bringing)
      try {
        await bringing
      } finally {
        this.#bringing.delete(key)
      }
    }
  }
}

async function send(link: KeeperLink, mirror: string, file: string): Promise<void> {
  const source = await open(join(mirror, 'objects', 'pack', file), 'r')
  try {
    const { size } = await source.stat()
    for (let sent = 0; sent < size;) {
      const piece = Buffer.allocUnsafe(Math.min(pieceBytes, size - sent))
      const { bytesRead } = await source.read(piece, 0, piece.length, sent)
      if (bytesRead === 0) throw new Error(`${file} of the mirror became shorter while it was read`)
      sent += bytesRead
      link.send({ kind: 'piece', file, last: sent === size }, piece.subarray(0, bytesRead))
      await link.room()
    }
  } finally {
    await source.close()
  }
}
