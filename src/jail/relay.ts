/*
 * Runs inside a jail: `node relay.ts PORT SOCKET COMMAND…`. Listens on the jail's loopback, hands every connection to
 * the socket, behind which the egress proxy is, and runs the command once it listens. Alone in the jail with no file
 * of ours beside it, so it imports nothing but Node's own.
 */
import { spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { constants } from 'node:os'

const [port, socketPath, program, ...args] = process.argv.slice(2)
if (port === undefined || socketPath === undefined || program === undefined) {
  process.stderr.write('nightshift relay: PORT SOCKET COMMAND… are needed\n')
  process.exit(125)
}

const server = createServer({ allowHalfOpen: true }, (client) => {
  const proxy = connect({ path: socketPath, allowHalfOpen: true })
  client.pipe(proxy)
  proxy.pipe(client)
  client.on('error', () => proxy.destroy())
  proxy.on('error', () => client.destroy())
  client.on('close', () => proxy.destroy())
  proxy.on('close', () => client.destroy())
})

server.on('error', (error) => {
  process.stderr.write(`nightshift relay: ${error.message}\n`)
  process.exit(125)
})

server.listen(Number(port), '127.0.0.1', () => {
  const command = spawn(program, args, { stdio: 'inherit' })
  command.on('error', (error: NodeJS.ErrnoException) => {
    process.stderr.write(`${program}: ${error.message}\n`)
    process.exit(error.code === 'ENOENT' ? 127 : 126)
  })
  command.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
  })
})
