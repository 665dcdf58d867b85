import { join } from 'node:path'
import { expect, it } from 'vitest'
import { testDatabase } from '../support/database.ts'
import { makePlace, startServer, until } from '../support/nightshift.ts'
import { makeRepository } from '../support/repositories.ts'

/** More than the machinery's failures ever get. */
const attempts = 6

it('a task whose engine is away waits for it past every retry, says so, and can be cancelled', async () => {
  const database = await testDatabase()
  const nobody = 'tcp://127.0.0.1:9'
  const place = await makePlace(database.url, { NIGHTSHIFT_ENGINES: nobody })
  const server = await startServer(place)
  try {
    const { path: repo } = await makeRepository(join(place.folder, 'remote.git'))
    const { id } = await server.submit({ repo, prompt: 'Work', command: 'true', runtime: 'dagger' })
    const waiting = await until(async () => {
      const task = await server.task(id)
      return task.state === 'done' || (task.state === 'held' && task.attempt >= attempts) ? task : null
    }, 'many looks for the engine')
    expect(waiting).toMatchObject({ state: 'held', outcome: null })
    expect(waiting.reason).toMatch(/^no engine can be used: tcp:\/\/127\.0\.0\.1:9: cannot be reached/)
    await server.request('POST', `/api/v1/tasks/${id}/cancel`)
    expect(await server.untilDone(id)).toMatchObject({ outcome: 'cancelled' })
  } finally {
    await server.process.stop()
    await place.remove()
    await database.close()
  }
}, 120_000)
