import type { Socket } from 'node:net'

const maxBytes = 4096

/** The first line of a connection, without its end; what comes behind it stays in the stream. Rejects where none comes. */
export function firstLine(socket: Socket, patienceMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let read = Buffer.alloc(0)
    const timer = setTimeout(() => stop(() => reject(new Error('no greeting came'))), patienceMs)
    const stop = (then: () => void) => {
      clearTimeout(timer)
      socket.off('readable', onReadable)
      socket.off('close', onClose)
      then()
    }
    const onClose = () => stop(() => reject(new Error('the connection ended before its greeting')))
    const onReadable = () => {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) return
      read = Buffer.concat([read, chunk])
      const end = read.indexOf(0x0a)
      if (end === -1 && read.length <= maxBytes) return
      stop(() => {
        if (end === -1) return reject(new Error('the greeting is too long'))
        if (end + 1 < read.length) socket.unshift(read.subarray(end + 1))
        resolve(read.toString('utf8', 0, end))
      })
    }
    socket.on('readable', onReadable)
    socket.once('close', onClose)
  })
}
