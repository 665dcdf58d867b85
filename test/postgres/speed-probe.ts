// Not a test: prints what the queue can do on this machine. Run with: node test/postgres/speed-probe.ts
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { openDatabase } from '../../src/postgres/database.ts'
import { openEmbedded } from '../../src/postgres/embedded/open-embedded.ts'
import { openStore } from '../../src/postgres/task-store.ts'
import { removeHome } from '../support/embedded-home.ts'
import { quiet } from '../support/quiet.ts'
import { ending, newTask, output, submitAll, worker } from './sample.ts'

const home = await mkdtemp(join(tmpdir(), 'nightshift-speed-'))
const server = await openEmbedded({ home, log: quiet })
const database = await openDatabase(server.connection, { log: quiet, embedded: true, connections: 8 })
const store = openStore(database, { log: quiet, leaseMs: 60_000 })

async function perSecond(
  count: number,
  lanes: number,
  work: (index: number) => Promise<void>,
): Promise<number> {
  let next = 0
  const began = performance.now()
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < count) await work(next++)
    }),
  )
  return Math.round(count / ((performance.now() - began) / 1000))
}

async function claimAndSettle(): Promise<void> {
  const claimed = await store.claim(worker())
  if (claimed === null) throw new Error('nothing to claim')
  await store.settle(claimed.lease, ending('no_changes'), null)
}

async function fill(count: number, repo?: string): Promise<void> {
  for (let at = 0; at < count; at += 1000) {
    const size = Math.min(1000, count - at)
    await submitAll(
      store,
      Array.from({ length: size }, () => newTask(repo === undefined ? {} : { repo })),
    )
  }
  await sql`analyze tasks`.execute(database.db)
}

/** Milliseconds of one claim at a time. */
async function claimMs(): Promise<string> {
  const times: number[] = []
  for (let index = 0; index < 100; index++) {
    const began = performance.now()
    const claimed = await store.claim(worker())
    times.push(performance.now() - began)
    if (claimed !== null) await store.settle(claimed.lease, ending('no_changes'), null)
  }
  times.sort((a, b) => a - b)
  return `p50 ${times[50]?.toFixed(1)} ms, p99 ${times[98]?.toFixed(1)} ms`
}

try {
  console.log(
    'submits/s, 1 at a time on 8',
    await perSecond(500, 8, async () => void (await submitAll(store, [newTask()]))),
  )
  console.log('claims+settles/s on 8, few queued', await perSecond(500, 8, claimAndSettle))
  await fill(100)
  console.log('claim, 100 queued:', await claimMs())
  await fill(10_000)
  console.log('claims+settles/s on 8, 10,000 queued', await perSecond(1000, 8, claimAndSettle))
  console.log('claim, 9,000 queued:', await claimMs())
  await fill(10_000)
  await store.setLimits({ global: null, perRepository: 1, perAgent: null })
  const blocking = await store.claim(worker())
  await fill(400, 'https://git.example.org/two.git')
  console.log('claim behind 18,900 of a repository at its limit:', await claimMs())
  console.log('claims+settles/s on 1 there', await perSecond(200, 1, claimAndSettle))
  if (blocking === null) throw new Error('nothing to claim')
  const line = output('x'.repeat(100))
  console.log(
    'records of 20 lines/s on 8',
    await perSecond(1000, 8, () =>
      store.record(
        blocking.lease,
        Array.from({ length: 20 }, () => line),
      ),
    ),
  )
  const began = performance.now()
  await store.list({ limit: 50 })
  console.log(`list ${(performance.now() - began).toFixed(1)} ms`)
  const second = performance.now()
  await store.stats()
  console.log(`stats ${(performance.now() - second).toFixed(1)} ms`)
} finally {
  await store.close()
  await database.close()
  await server.close()
  await removeHome(home)
}
