import { afterAll, beforeAll } from 'vitest'
import type { Task } from '../../src/model/task.ts'
import type { StandInRepository } from '../support/github/repository.ts'
import { botToken, startGithub, type GithubStandIn } from '../support/github/stand-in.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { makePlace, startServer, type Place, type Server } from '../support/nightshift.ts'
import type { Files } from '../support/repositories.ts'

/** A server of Nightshift beside a GitHub of its own, for all tests of the `describe` around. */
export interface ForgePlace {
  readonly database: TestDatabase
  readonly standIn: GithubStandIn
  readonly place: Place
  server: Server
  /** A repository of its own. */
  repository(files?: Files): Promise<StandInRepository>
  urlOf(repository: StandInRepository): string
  /** Submits a task on the repository. */
  submit(repository: StandInRepository, body: Readonly<Record<string, unknown>>): Promise<Task>
  /** Submits one, and waits for its end. */
  done(repository: StandInRepository, body: Readonly<Record<string, unknown>>): Promise<Task>
}

export function forgePlace(extra: Readonly<Record<string, string>> = {}): ForgePlace {
  const here = {} as { database: TestDatabase; standIn: GithubStandIn; place: Place; server: Server }
  let made = 0

  beforeAll(async () => {
    here.database = await testDatabase()
    const place = await makePlace(here.database.url, extra)
    here.standIn = await startGithub(`${place.folder}/github`)
    // Where an app is told of, it is the one that is let in, and there is no token.
    here.standIn.app.privateKey = extra['GITHUB_APP_PRIVATE_KEY'] ?? null
    here.place = {
      ...place,
      environment: {
        ...place.environment,
        ...(here.standIn.app.privateKey === null ? { GITHUB_TOKEN: botToken } : {}),
        GITHUB_SERVER_URL: here.standIn.url,
        GITHUB_API_URL: here.standIn.apiUrl,
        NIGHTSHIFT_SLOTS: '4',
      },
    }
    here.server = await startServer(here.place)
  })

  afterAll(async () => {
    await here.server.process.stop()
    await here.standIn.close()
    await here.place.remove()
    await here.database.close()
    if (here.standIn.problems.length > 0) throw new Error(here.standIn.problems.join('\n'))
  })

  const urlOf = (repository: StandInRepository) =>
    `${here.standIn.url}/${repository.owner}/${repository.name}.git`
  const submit = (repository: StandInRepository, body: Readonly<Record<string, unknown>>) =>
    here.server.submit({
      repo: urlOf(repository),
      prompt: 'Write one',
      command: 'echo "the agent runs"; echo 1 > one.txt',
      ...body,
    })

  return Object.assign(here, {
    urlOf,
    submit,
    repository(files?: Files) {
      made += 1
      return here.standIn.makeRepository('team', `project-${made}`, files === undefined ? {} : { files })
    },
    async done(repository: StandInRepository, body: Readonly<Record<string, unknown>>) {
      return here.server.untilDone((await submit(repository, body)).id)
    },
  })
}
