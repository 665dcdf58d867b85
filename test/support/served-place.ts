import { afterAll, beforeAll } from 'vitest'
import { testDatabase } from './database.ts'
import { makePlace, startServer, type Place, type Server } from './nightshift.ts'

/** A server on a database and a home of its own, for all tests of the `describe` around; gone after them. */
export interface ServedPlace {
  readonly place: Place
  readonly server: Server
}

/** To be called in a `describe`; what it answers can be read in tests. `extra`: more variables for its processes. */
export function servedPlace(extra: Readonly<Record<string, string>> = {}): ServedPlace {
  const served = {} as { place: Place; server: Server }
  const closers: (() => Promise<unknown>)[] = []

  beforeAll(async () => {
    const database = await testDatabase()
    closers.push(() => database.close())
    served.place = await makePlace(database.url, extra)
    closers.push(() => served.place.remove())
    served.server = await startServer(served.place)
    closers.push(() => served.server.process.stop())
  })

  afterAll(async () => {
    for (const close of closers.toReversed()) await close()
  })

  return served
}
