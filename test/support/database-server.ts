import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { openDatabase } from '../../src/postgres/database.ts'
import { openEmbedded } from '../../src/postgres/embedded/open-embedded.ts'
import { onDatabase, withDatabase } from './database-url.ts'
import { removeHome, removeLeftHomes } from './embedded-home.ts'
import { quiet } from './quiet.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** URL of a running PostgreSQL; `testDatabase()` makes databases of its own in it. */
    databaseServer: string
  }
}

/** The database that all others are copied from: migrated and empty. */
export const templateName = 'nightshift_template'

const homePrefix = 'nightshift-tests-'

/** One PostgreSQL for all test files: started before the first, stopped and removed after the last. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeLeftHomes(homePrefix)
  const home = await mkdtemp(join(tmpdir(), homePrefix))
  const server = await openEmbedded({ home, log: quiet })
  const teardown = async () => {
    await server.close()
    await removeHome(home)
  }
  try {
    await onDatabase(server.connection, `create database ${templateName}`)
    const template = await openDatabase(withDatabase(server.connection, templateName), {
      log: quiet,
      embedded: true,
    })
    await template.close()
  } catch (error) {
    await teardown()
    throw error
  }
  project.provide('databaseServer', server.connection)
  return teardown
}
