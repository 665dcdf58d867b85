import { join } from 'node:path'
import pLimit from 'p-limit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSettings } from '../../src/config.ts'
import type { PipelineParts } from '../../src/core/attempt.ts'
import { createMask } from '../../src/core/mask.ts'
import { startScheduler } from '../../src/core/scheduler.ts'
import { submit, type SubmitContext } from '../../src/core/submit.ts'
import { createRepositories } from '../../src/git/repositories.ts'
import { openPipelineParts } from '../../src/main/pipeline-parts.ts'
import { steps, type Step } from '../../src/model/event.ts'
import type { Task } from '../../src/model/task.ts'
import { Closers } from '../../src/process/closers.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { makeRepository } from '../support/repositories.ts'
import { botToken, startGithub, type GithubStandIn } from '../support/github/stand-in.ts'
import { makePlace, until, type Place } from '../support/nightshift.ts'
import { processesWith } from '../support/processes.ts'
import { quiet } from '../support/quiet.ts'
import { throwing, type Throw, type Trace } from '../support/thrower.ts'

const rules = `
setup: 'true'
checks:
  - name: words
    run: "! grep -n bad {files}"
    files: ["**/*.txt"]
fixRounds: 3
`
/** Two kinds of tasks, and how they end. */
const kinds = {
  plain: { outcome: 'pushed', asked: { command: 'echo good > one.txt' } },
  // Fails its check first, its review then, and is merged in the end: it calls all that a task can call.
  whole: {
    outcome: 'merged',
    asked: {
      command: 'case $NIGHTSHIFT_ROUND in 0) echo bad;; 1) echo dull;; *) echo good;; esac > one.txt',
      reviewCommand: `grep -q dull one.txt && v=request_changes || v=approve
        echo "{\\"verdict\\": \\"$v\\", \\"findings\\": []}"`,
      merge: 'review',
    },
  },
} as const
type Kind = keyof typeof kinds

describe('an exception, in whatever step and of whatever port', () => {
  let database: TestDatabase
  let place: Place
  let standIn: GithubStandIn
  let parts: PipelineParts
  let submitting: SubmitContext
  const closers = new Closers()
  let number = 0

  beforeAll(async () => {
    database = await testDatabase({
      leaseMs: 3000,
      failedBackoffMs: [20, 20, 20],
      expiredBackoffMs: [20, 20, 20],
    })
    place = await makePlace(database.url)
    standIn = await startGithub(join(place.folder, 'github'))
    const settings = readSettings({
      ...place.environment,
      GITHUB_TOKEN: botToken,
      GITHUB_SERVER_URL: standIn.url,
      GITHUB_API_URL: standIn.apiUrl,
    })
    const mask = createMask(settings.secrets)
    const opened = await openPipelineParts(settings, { ...database, log: quiet, mask, closers })
    parts = opened.parts
    submitting = {
      store: database.store,
      repositories: createRepositories({ repoRoots: [place.folder], cwd: place.folder }),
      agents: ['command'],
      runtimes: ['local'],
      machineId: 'here',
      refusedHost: () => null,
      refusedMerge: () => null,
    }
  })

  afterAll(async () => {
    await closers.close()
    await standIn.close()
    await place.remove()
    await database.close()
  })

  /** Every call that a task of the kind makes, by method. */
  const traces: Readonly<Record<Kind, Trace>> = { plain: new Map(), whole: new Map() }

  /** One task in a pool of its own, done by a scheduler of its own whose ports throw as planned. */
  async function done(kind: Kind, planned: Throw | null, trace: Trace = new Map()): Promise<Task> {
    const id = `case-${(number += 1)}`
    const files = { '.nightshift.yaml': rules }
    const repository = kind === 'whole' ? await standIn.makeRepository('team', id, { files }) : null
    const repo =
      repository === null
        ? (await makeRepository(join(place.folder, `${id}.git`), { files })).path
        : `${standIn.url}/team/${repository.name}.git`
    const request = { repo, prompt: `Work of ${id}`, runtime: 'local', ...kinds[kind].asked }
    const submitted = await submit(submitting, [request], { door: 'terminal', pool: id })
    if (submitted.kind !== 'accepted') throw new Error(JSON.stringify(submitted))
    const taskId = submitted.tasks[0]?.id ?? ''
    const scheduler = startScheduler(throwing(parts, planned, trace), {
      life: { id, host: 'here', pid: process.pid, slots: 1 },
      pool: id,
      machineId: 'here',
      heartbeatMs: 500,
      pollMs: 200,
      disk: { freeBytes: () => Promise.resolve(1), minFreeBytes: 0 },
      log: quiet,
    })
    try {
      const task = await until(
        async () => {
          const now = await database.store.get(taskId)
          return now?.state === 'done' ? now : null
        },
        `${JSON.stringify(planned)} to end`,
        120_000,
      )
      if (repository !== null && task.outcome === 'merged') {
        expect(repository.pulls).toHaveLength(1)
        const reviewed = repository.pull(1).reviews.map(({ sha }) => sha)
        expect(reviewed).toEqual([...new Set(reviewed)])
      }
      return task
    } finally {
      await scheduler.drain(0)
    }
  }

  /** The steps in which an attempt failed, by what its events say. */
  async function failedSteps(taskId: string): Promise<Step[]> {
    const events = await database.store.events(taskId, { after: 0, limit: 1000 })
    return events.flatMap(({ type, step, data }) =>
      type === 'step.ended' && data['ok'] === false && step !== null ? [step] : [],
    )
  }

  /** Every method, with the smallest task that calls it. */
  function methods(): { kind: Kind; method: string; calls: number; rejects: boolean }[] {
    return [...traces.whole].map(([method, whole]) => {
      const plain = traces.plain.get(method)
      const { calls, async: rejects } = plain ?? whole
      return { kind: plain === undefined ? 'whole' : 'plain', method, calls, rejects }
    })
  }

  it('can come from every step: these tasks pass all of them', async () => {
    const passed = new Set<Step | null>()
    for (const kind of ['plain', 'whole'] as const) {
      const task = await done(kind, null, traces[kind])
      expect(task).toMatchObject({ outcome: kinds[kind].outcome, attempt: 1 })
      const events = await database.store.events(task.id, { after: 0, limit: 1000 })
      for (const { step } of events) passed.add(step)
    }
    expect(steps.filter((step) => !passed.has(step))).toEqual([])
  }, 120_000)

  it('is made good by another attempt where it comes once, at the first call and at the last', async () => {
    const failed = new Set<Step>()
    const planned = methods().flatMap(({ calls, ...one }) =>
      [...new Set(one.kind === 'plain' ? [1, calls] : [calls])].map((call) => ({ ...one, call })),
    )
    // In a fix round.
    planned.push({ kind: 'whole', method: 'agent.call', rejects: false, call: 2 })
    const ended = await each(planned, async (one) => {
      const value = new Error(`thrown by ${one.method}`)
      const task = await done(one.kind, { ...one, times: 1, value })
      for (const step of await failedSteps(task.id)) failed.add(step)
      return { ...one, outcome: task.outcome, left: (await processesWith(task.id)).length }
    })
    expect(ended).toEqual(planned.map((one) => ({ ...one, outcome: kinds[one.kind].outcome, left: 0 })))
    expect(steps.filter((step) => !failed.has(step))).toEqual([])
  }, 600_000)

  it('is the outcome where it does not pass, also one that is no Error', async () => {
    // Neither keeps a task from its end: what they tell is for the eyes of people, or is looked for again.
    const mayFail = new Set([
      'gateway.account',
      'forge.repository().facts',
      'forge.repository().editPullRequest',
      'forge.repository().deleteBranch',
      'publisher.hasTreeOf',
    ])
    const planned = methods().filter(({ method }) => !method.startsWith('store.'))
    const ended = await each(planned, async (one) => {
      const task = await done(one.kind, { ...one, call: 1, times: Infinity, value: 'thrown, and no Error' })
      return { method: one.method, outcome: task.outcome }
    })
    expect(ended).toEqual(
      planned.map(({ kind, method }) => ({
        method,
        outcome: mayFail.has(method) ? kinds[kind].outcome : 'error',
      })),
    )
  }, 600_000)

  it('of the queue itself is outlasted', async () => {
    const planned = methods().filter(({ method }) => method.startsWith('store.'))
    const ended = await each(planned, async (one) => {
      const value = new Error('the queue is away')
      const task = await done(one.kind, { ...one, call: 1, times: 3, value })
      return { method: one.method, outcome: task.outcome }
    })
    expect(ended).toEqual(planned.map(({ kind, method }) => ({ method, outcome: kinds[kind].outcome })))
  }, 600_000)
})

function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const limit = pLimit(6)
  return Promise.all(items.map((item) => limit(() => work(item))))
}
