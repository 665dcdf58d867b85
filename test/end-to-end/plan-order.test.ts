import { createHmac, randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Task } from '../../src/model/task.ts'
import type { StandInRepository } from '../support/github/repository.ts'
import { until } from '../support/nightshift.ts'
import { git } from '../support/repositories.ts'
import { forgePlace } from './forge-place.ts'

const secret = 'the secret of the webhook'

describe('tasks of a plan that become ready at once', () => {
  const here = forgePlace({ NIGHTSHIFT_SLOTS: '4', NIGHTSHIFT_WEBHOOK_SECRET: secret })

  /** Has a batch of four wait for a check that the base demands. */
  async function waiting(repository: StandInRepository): Promise<Task[]> {
    repository.protection.set('main', { checks: ['build'], approvals: 0, push: 'allowed' })
    const tasks = [1, 2, 3, 4].map((number) => `### Task 1.${number}: Part ${number}\nWrite it.\n`)
    const plan = `---\nmerge: checks\ncommand: 'echo "$NIGHTSHIFT_PROMPT" > "$NIGHTSHIFT_TASK.txt"'\n---\n# Parts\n## Batch 1: All\n${tasks.join('')}`
    const started = await here.server.request('POST', '/api/v1/runs', { plan, repo: here.urlOf(repository) })
    const { id } = (await started.json()) as { id: string }
    return until(async () => {
      const list = await here.server.request('GET', `/api/v1/tasks?runId=${id}`)
      const { items } = (await list.json()) as { items: Task[] }
      const wait = items.filter((task) => task.reason?.includes('is expected') === true)
      return wait.length === 4 ? wait.toSorted((a, b) => (a.prompt < b.prompt ? -1 : 1)) : null
    }, 'all to wait')
  }

  async function tell(repository: StandInRepository, task: Task): Promise<void> {
    const number = repository.pulls.find(({ head }) => head === task.branch)?.number
    const html_url = `${here.standIn.url}/${repository.owner}/${repository.name}`
    const body = JSON.stringify({ repository: { html_url }, pull_request: { number } })
    await fetch(`${here.server.url}/webhooks/github`, {
      method: 'POST',
      headers: {
        'x-github-delivery': randomUUID(),
        'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
      },
      body,
    })
  }

  async function merged(repository: StandInRepository): Promise<string[]> {
    const subjects = await git(repository.path, ['log', '--first-parent', '--reverse', '--format=%b', 'main'])
    return [...subjects.matchAll(/Part (\d)/g)].map(([, number = '']) => number)
  }

  it('merge in its order, whoever is told first', async () => {
    const repository = await here.repository()
    const tasks = await waiting(repository)
    repository.protection.clear()
    for (const task of tasks.toReversed()) await tell(repository, task)
    for (const task of tasks) {
      expect(await here.server.untilDone(task.id, 240_000)).toMatchObject({ outcome: 'merged' })
    }
    expect(await merged(repository)).toEqual(['1', '2', '3', '4'])
  })

  it('wait for none of them that cannot go', async () => {
    const repository = await here.repository()
    const [first, ...others] = await waiting(repository)
    const sha = repository.pulls.find(({ head }) => head === first?.branch)?.lastHead ?? ''
    repository.checkRuns.push({ sha, name: 'slow', status: 'in_progress', conclusion: null })
    repository.protection.clear()
    for (const task of others.toReversed()) await tell(repository, task)
    for (const task of others) {
      expect(await here.server.untilDone(task.id, 240_000)).toMatchObject({ outcome: 'merged' })
    }
    expect(await merged(repository)).toEqual(['2', '3', '4'])
    for (const run of repository.checkRuns) Object.assign(run, { status: 'completed', conclusion: 'success' })
    expect(await here.server.untilDone(first?.id ?? '', 240_000)).toMatchObject({ outcome: 'merged' })
  })
})
