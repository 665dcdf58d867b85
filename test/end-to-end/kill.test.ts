import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TaskEvent } from '../../src/model/event.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { makePlace, startServer, until, type Place, type Server } from '../support/nightshift.ts'
import {
  branchSha,
  listBranches,
  makeRepository,
  showFile,
  type MadeRepository,
} from '../support/repositories.ts'
import { makeStoppingGit, type StopPoint } from '../support/stopping-git.ts'

/** A moment in the life of a task at which its process is killed. */
interface Moment {
  readonly name: string
  /** Around which call of git; none: the agent itself says that it is there. */
  readonly git?: (task: { id: string; branch: string; repo: string; home: string }) => Omit<StopPoint, 'name'>
  /** The work was handed over before: the agent must not run again. */
  readonly agentRuns: 1 | 2
}

const mirrorOf = (repo: string) => `${createHash('sha256').update(repo).digest('hex')}.git`
const ordinary = 'echo "the agent runs"; echo 1 > one.txt'
const saysSo = 'if [ "$NIGHTSHIFT_ATTEMPT" = 1 ]; then echo "here it is"; sleep 600; fi; '

const moments: Moment[] = [
  {
    name: 'before the base is asked for',
    git: ({ repo }) => ({ words: ['ls-remote', repo], call: 1, when: 'before' }),
    agentRuns: 1,
  },
  {
    name: 'after the base was asked for',
    git: ({ repo }) => ({ words: ['ls-remote', repo], call: 1, when: 'after' }),
    agentRuns: 1,
  },
  {
    name: 'before the mirror is fetched',
    git: ({ repo }) => ({ words: ['fetch', mirrorOf(repo)], call: 1, when: 'before' }),
    agentRuns: 1,
  },
  {
    name: 'after the mirror was fetched',
    git: ({ repo }) => ({ words: ['fetch', mirrorOf(repo)], call: 1, when: 'after' }),
    agentRuns: 1,
  },
  {
    name: 'while the clone is made',
    git: ({ id }) => ({ words: ['read-tree', id], call: 1, when: 'before' }),
    agentRuns: 1,
  },
  {
    name: 'after the clone was made',
    git: ({ id }) => ({ words: ['read-tree', id], call: 1, when: 'after' }),
    agentRuns: 1,
  },
  { name: 'when the agent begins', agentRuns: 1 },
  { name: 'when the agent is half done', agentRuns: 2 },
  { name: 'while the work is committed', agentRuns: 2 },
  {
    name: 'before the publisher takes the work',
    git: ({ id }) => ({ words: ['index-pack', id], call: 1, when: 'before' }),
    agentRuns: 2,
  },
  {
    name: 'after the publisher took the work',
    git: ({ id }) => ({ words: ['index-pack', id], call: 1, when: 'after' }),
    agentRuns: 2,
  },
  {
    name: 'before the push',
    git: ({ branch }) => ({ words: ['push', '--force-with-lease', branch], call: 1, when: 'before' }),
    agentRuns: 1,
  },
  {
    name: 'after the push, its answer lost',
    git: ({ branch }) => ({ words: ['push', '--force-with-lease', branch], call: 1, when: 'after' }),
    agentRuns: 1,
  },
  {
    name: 'before the push is confirmed',
    git: ({ branch }) => ({ words: ['ls-remote', branch], call: 1, when: 'before' }),
    agentRuns: 1,
  },
  {
    name: 'after the push was confirmed, before the task is settled',
    git: ({ branch }) => ({ words: ['ls-remote', branch], call: 1, when: 'after' }),
    agentRuns: 1,
  },
]

function commandOf(moment: Moment): string {
  switch (moment.name) {
    case 'when the agent begins':
      return `${saysSo}${ordinary}`
    case 'when the agent is half done':
      return `echo 0 > one.txt; echo "the agent runs"; ${saysSo}echo 1 > one.txt`
    case 'while the work is committed':
      // A filter of the agent's own holds git up in its sandbox.
      return `mkdir -p .git/info; echo "* filter=slow" > .git/info/attributes; git config filter.slow.clean 'if [ "$NIGHTSHIFT_ATTEMPT" = 1 ]; then sleep 600; fi; cat'; ${ordinary}; echo "here it is"`
    default:
      return ordinary
  }
}

describe('kill -9 of the whole process, with a task at each step, then a new process', () => {
  let database: TestDatabase
  let place: Place
  const tasks = new Map<string, { id: string; remote: MadeRepository }>()
  let second: Server

  beforeAll(async () => {
    database = await testDatabase()
    place = await makePlace(database.url, { NIGHTSHIFT_SLOTS: String(moments.length) })
    const stopping = await makeStoppingGit(place)
    const first = await startServer(stopping.place)
    await first.request('POST', '/api/v1/pause')
    for (const [index, moment] of moments.entries()) {
      const remote = await makeRepository(join(place.folder, `remote-${index}.git`))
      const { id, branch } = await first.submit({
        repo: remote.path,
        prompt: 'One',
        command: commandOf(moment),
      })
      const home = place.environment['NIGHTSHIFT_HOME'] ?? ''
      const point = moment.git?.({ id, branch, repo: remote.path, home })
      if (point !== undefined) await stopping.stopAt({ name: `point-${index}`, ...point })
      tasks.set(moment.name, { id, remote })
    }
    await first.request('POST', '/api/v1/resume')
    for (const [index, moment] of moments.entries()) {
      const { id } = tasks.get(moment.name) ?? { id: '' }
      await until(async () => {
        const there =
          moment.git === undefined
            ? (await logOf(first, id)).includes('here it is')
            : await stopping.reached(`point-${index}`)
        return there ? true : null
      }, moment.name)
    }
    await first.process.stop('SIGKILL')
    second = await startServer(place)
  }, 180_000)

  afterAll(async () => {
    await second.process.stop()
    await place.remove()
    await database.close()
  })

  async function logOf(server: Server, id: string): Promise<string> {
    return (await server.request('GET', `/api/v1/tasks/${id}/log`)).text()
  }

  it('every task is running again within 15 s, or has ended', async () => {
    const started = performance.now()
    for (const { id } of tasks.values()) {
      await until(
        async () => ((await second.task(id)).attempt === 2 ? true : null),
        `a second attempt of ${id}`,
      )
    }
    expect(performance.now() - started).toBeLessThan(15_000)
  })

  for (const moment of moments) {
    it(`${moment.name}: pushed once, on one branch`, async () => {
      const { id, remote } = tasks.get(moment.name) ?? { id: '', remote: { path: '', sha: '', branch: '' } }
      const task = await second.untilDone(id)
      expect(task).toMatchObject({ state: 'done', outcome: 'pushed', attempt: 2, reason: null })
      expect(await listBranches(remote.path)).toEqual(['main', task.branch])
      expect(await branchSha(remote.path, task.branch)).toBe(task.evidence?.headSha)
      expect(await showFile(remote.path, task.branch, 'one.txt')).toBe('1\n')
      expect(await branchSha(remote.path, 'main')).toBe(remote.sha)
      const runs = (await logOf(second, id)).split('the agent runs').length - 1
      expect(runs).toBe(moment.agentRuns)
      const { items } = (await (await second.request('GET', `/api/v1/tasks/${id}/events`)).json()) as {
        items: TaskEvent[]
      }
      const ends = items.filter((event) => event.type === 'state' && event.data['state'] === 'done')
      expect(ends).toHaveLength(1)
    })
  }

  it('nothing of them is left: no working folder, no saved work', async () => {
    const home = place.environment['NIGHTSHIFT_HOME'] ?? ''
    for (const folder of ['work', 'publish']) {
      expect(await readdir(join(home, folder)).catch(() => [])).toEqual([])
    }
    expect(await database.query('select task_id from saved_work')).toEqual([])
  })
})
