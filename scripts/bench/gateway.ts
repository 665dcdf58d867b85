import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request, type RequestOptions } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createGateway } from '../../src/gateway/gateway.ts'
import { openDatabase } from '../../src/postgres/database.ts'
import { openEmbedded } from '../../src/postgres/embedded/open-embedded.ts'
import { openSpend } from '../../src/postgres/spend.ts'
import { systemClock } from '../../src/process/system-clock.ts'
import { quiet } from '../../test/support/quiet.ts'

interface Timing {
  readonly firstByteMs: number
  readonly totalMs: number
}

/**
 * What the gateway adds to a streamed answer of 0.8 s: the same request to a stand-in provider, straight and through the
 * gateway, taken in turns. With a spending cap, so that each is reserved and booked in a real database; the conversation
 * has 120 KB.
 */
export async function timeGateway(rounds: number): Promise<{ straight: Timing[]; through: Timing[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'nightshift-bench-'))
  const script = fileURLToPath(new URL('model-api.ts', import.meta.url))
  const provider = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface(provider.stdout), 'line')) as [string]
  const { url, key } = JSON.parse(line) as { url: string; key: string }
  const embedded = await openEmbedded({ home: join(folder, 'home'), log: quiet })
  const database = await openDatabase(embedded.connection, { log: quiet, embedded: true })
  const access = { baseUrl: url, login: { kind: 'key', secret: key } as const }
  const gateway = createGateway({
    access: { anthropic: access, openai: access, gemini: access },
    folder: join(folder, 'sockets'),
    socketTag: 'bench',
    spend: openSpend(database),
    clock: systemClock,
    log: quiet,
    proxyEnvironment: {},
  })
  const session = await gateway.open({
    lease: { taskId: 'bench', attempt: 1, workerId: 'bench' },
    provider: 'anthropic',
    model: null,
    capUsd: 1000,
    hostedTools: false,
  })
  const { hostname, port } = new URL(url)
  const straight: Timing[] = []
  const through: Timing[] = []
  try {
    for (let round = -2; round < rounds; round += 1) {
      const one = await time({ hostname, port }, key)
      const other = await time({ socketPath: session.socket }, session.key)
      // The first ones open connections and warm caches.
      if (round < 0) continue
      straight.push(one)
      through.push(other)
    }
  } finally {
    await session.close()
    gateway.close()
    await database.close()
    await embedded.close()
    provider.kill()
    await rm(folder, { recursive: true, force: true })
  }
  return { straight, through }
}

const body = JSON.stringify({
  model: 'claude-sonnet-4-6',
  max_tokens: 32_000,
  stream: true,
  tools: [{ name: 'Bash', input_schema: { properties: { command: { type: 'string' } } } }],
  messages: [{ role: 'user', content: `scene:drips ${'some words of a long conversation '.repeat(3600)}` }],
})

async function time(to: RequestOptions, key: string): Promise<Timing> {
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-api-key': key,
  }
  const since = performance.now()
  const asked = request({ ...to, method: 'POST', path: '/v1/messages', headers })
  asked.end(body)
  const [answer] = (await once(asked, 'response')) as [AsyncIterable<Buffer>]
  let firstByteMs = Number.NaN
  for await (const { length } of answer) {
    if (Number.isNaN(firstByteMs) && length > 0) firstByteMs = performance.now() - since
  }
  return { firstByteMs, totalMs: performance.now() - since }
}
