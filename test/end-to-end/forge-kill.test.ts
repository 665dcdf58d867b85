import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Task } from '../../src/model/task.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import type { StandInRepository } from '../support/github/repository.ts'
import { botToken, startGithub, type GithubStandIn } from '../support/github/stand-in.ts'
import { makePlace, startServer, until, type Place, type Server } from '../support/nightshift.ts'
import { git, listBranches, showFile } from '../support/repositories.ts'
import { endsOf, outputOf } from '../support/worker.ts'

const one = '/repos/{owner}/{repo}'
/** Every call that the way from push to merge makes, and whether it was done when the process dies. */
const moments = [
  ['git push', 'before'],
  ['git push', 'after'],
  [`GET ${one}/pulls`, 'before'],
  [`POST ${one}/pulls`, 'before'],
  [`POST ${one}/pulls`, 'after'],
  [`GET ${one}/pulls/{pull_number}/reviews`, 'after'],
  [`POST ${one}/pulls/{pull_number}/reviews`, 'before'],
  [`POST ${one}/pulls/{pull_number}/reviews`, 'after'],
  [`GET ${one}/commits/{ref}/check-runs`, 'after'],
  [`GET ${one}/pulls/{pull_number}`, 'after'],
  [`PUT ${one}/pulls/{pull_number}/merge`, 'before'],
  [`PUT ${one}/pulls/{pull_number}/merge`, 'after'],
  [`DELETE ${one}/git/refs/{ref}`, 'before'],
  [`DELETE ${one}/git/refs/{ref}`, 'after'],
] as const

/** And those of a review that asks for changes once: its threads are answered, and resolved. */
const mended = [
  [`GET ${one}/pulls/{pull_number}/comments`, 'after'],
  [`POST ${one}/pulls/{pull_number}/comments/{comment_id}/replies`, 'before'],
  [`POST ${one}/pulls/{pull_number}/comments/{comment_id}/replies`, 'after'],
  ['POST /graphql', 'after'],
] as const

const mends =
  'if [ "${NIGHTSHIFT_ROUND:-0}" -gt 0 ]; then echo 2 >> one.txt; else echo "the agent runs"; echo 1 > one.txt; fi'
const wantsTwo = `if grep -q 2 one.txt; then echo '{"verdict": "approve"}'; else echo '{"verdict": "request_changes", "findings": [{"file": "one.txt", "line": 1, "severity": "blocking", "message": "No two."}]}'; fi`

describe('kill -9 of the whole process, from push to merge, then a new process', () => {
  let database: TestDatabase
  let place: Place
  let standIn: GithubStandIn
  let server: Server

  beforeAll(async () => {
    database = await testDatabase()
    place = await makePlace(database.url)
    standIn = await startGithub(`${place.folder}/github`)
    place = {
      ...place,
      environment: {
        ...place.environment,
        GITHUB_TOKEN: botToken,
        GITHUB_SERVER_URL: standIn.url,
        GITHUB_API_URL: standIn.apiUrl,
      },
    }
    server = await startServer(place)
  })

  afterAll(async () => {
    await server.process.stop()
    await standIn.close()
    await place.remove()
    await database.close()
    if (standIn.problems.length > 0) throw new Error(standIn.problems.join('\n'))
  })

  it.each(mended)(
    '%s, %s it is done: one pull request, one answer to the one thread, one merge',
    async (route, when) => {
      const index = mended.findIndex((moment) => moment[0] === route && moment[1] === when)
      const repository: StandInRepository = await standIn.makeRepository('team', `mended-${index}`)
      const held = standIn.faults.hold(route, when)
      const task: Task = await server.submit({
        repo: `${standIn.url}/team/${repository.name}.git`,
        prompt: 'Write one',
        command: mends,
        merge: 'review',
        reviewCommand: wantsTwo,
      })
      await held.reached
      await server.process.stop('SIGKILL')
      held.release()
      server = await startServer(place)
      const ended = await server.untilDone(task.id, 240_000)
      expect(ended).toMatchObject({ outcome: 'merged', evidence: { pullRequest: { number: 1, reviews: 2 } } })
      const pull = repository.pull(1)
      expect(repository.pulls).toHaveLength(1)
      expect(pull.reviews).toHaveLength(2)
      expect(pull.replies).toHaveLength(1)
      expect(pull.resolved.size).toBe(1)
      expect(await showFile(repository.path, 'main', 'one.txt')).toBe('1\n2\n')
      expect((await outputOf(database, task.id)).split('the agent runs')).toHaveLength(2)
    },
    300_000,
  )

  it.each(moments)(
    '%s, %s it is done: one pull request, one review, one merge',
    async (route, when) => {
      const repository: StandInRepository = await standIn.makeRepository(
        'team',
        `kill-${moments.findIndex((moment) => moment[0] === route && moment[1] === when)}`,
      )
      const held = standIn.faults.hold(route, when)
      const task: Task = await server.submit({
        repo: `${standIn.url}/team/${repository.name}.git`,
        prompt: 'Write one',
        command: 'echo "the agent runs"; echo 1 > one.txt',
        merge: 'review',
        reviewCommand: `echo "the reviewer runs"; echo '{"verdict": "approve", "findings": []}'`,
      })
      await held.reached
      await server.process.stop('SIGKILL')
      held.release()
      server = await startServer(place)
      const ended = await server.untilDone(task.id, 240_000)
      expect(ended).toMatchObject({ outcome: 'merged', evidence: { pullRequest: { number: 1 } } })
      expect(ended.attempt).toBeGreaterThan(1)
      expect(await endsOf(database, task.id)).toBe(1)
      expect(repository.pulls).toHaveLength(1)
      expect(repository.pull(1).reviews).toHaveLength(1)
      expect(repository.pull(1).comments).toEqual([])
      expect((await git(repository.path, ['rev-list', '--count', '--merges', 'main'])).trim()).toBe('1')
      expect(await showFile(repository.path, 'main', 'one.txt')).toBe('1\n')
      await until(
        async () => ((await listBranches(repository.path)).length === 1 ? true : null),
        'the branch to be gone',
      )
      const output = await outputOf(database, task.id)
      expect(output.split('the agent runs')).toHaveLength(2)
    },
    300_000,
  )
})
