/*
 * Runs in a container, as root, from our own files: makes the sandbox of one attempt over the image of the repository,
 * and does in it what the scheduler says, until the scheduler says that it is over or is gone. What the agent runs is in
 * a jail, and sees neither this process nor the socket by which it speaks.
 */
import { connect } from 'node:net'
import { freeBytes, Keeper } from './keeper-service.ts'
import { KeeperSandbox } from './keeper-sandbox.ts'
import { endLives, live } from './lives.ts'
import { keeperVariables, schedulerSocket, type SandboxPlan } from './protocol.ts'

const [mode = 'keep', ...args] = process.argv.slice(2)
switch (mode) {
  case 'keep':
    keep()
    break
  case 'end':
    await endLives(args[0] ?? '')
    process.exit(0)
    break
  case 'look':
    await look()
    process.exit(0)
    break
  case 'disk':
    process.stdout.write(`${JSON.stringify({ freeBytes: freeBytes() })}\n`)
    process.exit(0)
    break
  default:
    process.stderr.write(`keeper: what is ${mode}?\n`)
    process.exit(2)
}

function variable(name: string): string {
  return process.env[name] ?? ''
}

function keep(): Keeper {
  const greeting = { token: variable(keeperVariables.token), life: variable(keeperVariables.life) }
  const socket = connect({ path: schedulerSocket })
  socket.once('error', (error) => die(`the scheduler cannot be reached: ${error.message}`))
  socket.once('close', () => die('the scheduler is gone'))
  socket.write(`${JSON.stringify({ ...greeting, relay: null })}\n`)
  const enter = (taskId: string) => live(taskId, greeting.life, () => die('another attempt takes over'))
  return new Keeper(socket, greeting, enter, die)
}

/** All that is inside ends with this container. */
function die(why: string): never {
  process.stderr.write(`keeper: ${why}\n`)
  process.exit(1)
}

/** Tries a jail, and tells what this engine's containers can do. */
async function look(): Promise<void> {
  const plan: SandboxPlan = {
    taskId: '',
    repo: '',
    sha: '',
    branch: '',
    base: '',
    headSha: null,
    isForReading: false,
    packsFolder: '',
    packs: [],
    author: { name: '', email: '' },
    limits: { memoryBytes: 256 * 1024 * 1024, processes: 64 },
    imageEnv: {},
  }
  const sandbox = await KeeperSandbox.make('/', plan, { token: '', life: 'look' }, async () => {})
  const command = { argv: ['/bin/sh', '-c', ':'], env: {}, timeoutMs: 30_000, network: 'none' as const }
  const end = await sandbox.exec(
    { ...command, relays: [], stdin: false },
    { signal: AbortSignal.timeout(60_000), stdin: Buffer.alloc(0), onLine: () => {}, pace: () => null },
  )
  const { grouped } = sandbox
  await sandbox.close()
  const fault = end.exitCode === 0 ? null : `${end.kind} ${end.exitCode ?? ''} ${end.stderrTail}`
  process.stdout.write(`${JSON.stringify({ fault, grouped })}\n`)
}
