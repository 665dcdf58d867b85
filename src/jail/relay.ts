/*
 * Runs inside a jail: `node relay.ts PORT SOCKET [PORT SOCKET]… -- COMMAND…`. Listens on ports of the jail's loopback,
 * hands every connection to the port's socket, behind which something of ours is, and runs the command once it
 * listens. Alone in the jail with no file of ours beside it, so it imports nothing but Node's own.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { constants } from 'node:os'

const given = process.argv.slice(2)
const end = given.indexOf('--')
const [program, ...args] = given.slice(end + 1)
if (end < 2 || end % 2 !== 0 || program === undefined) fail('PORT SOCKET … -- COMMAND… are needed')

try {
  const listening: Promise<void>[] = []
  for (let at = 0; at < end; at += 2) listening.push(listen(Number(given[at]), given[at + 1] ?? ''))
  await Promise.all(listening)
} catch (error) {
  fail(String(error))
}
run(program, args)

async function listen(port: number, socketPath: string): Promise<void> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const socket = connect({ path: socketPath, allowHalfOpen: true })
    client.pipe(socket)
    socket.pipe(client)
    client.on('error', () => socket.destroy())
    socket.on('error', () => client.destroy())
    client.on('close', () => socket.destroy())
    socket.on('close', () => client.destroy())
  })
  await once(server.listen(port, '127.0.0.1'), 'listening')
}

function fail(why: string): never {
  process.stderr.write(`nightshift relay: ${why}\n`)
  process.exit(125)
}

function run(file: string, argv: readonly string[]): void {
  const command = spawn(file, argv, { stdio: 'inherit' })
  command.on('error', (error: NodeJS.ErrnoException) => {
    process.stderr.write(`${file}: ${error.message}\n`)
    process.exit(error.code === 'ENOENT' ? 127 : 126)
  })
  command.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
  })
}
