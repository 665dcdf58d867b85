import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Run } from '../../src/model/run.ts'
import type { Schedule } from '../../src/model/schedule/schedule.ts'
import type { Task } from '../../src/model/task.ts'
import { runCli, until } from '../support/nightshift.ts'
import { branchSha, listBranches, makeRepository, type MadeRepository } from '../support/repositories.ts'
import { servedPlace } from '../support/served-place.ts'

const plan = `---
command: echo "$NIGHTSHIFT_PROMPT" | head -1 > "$(echo "$NIGHTSHIFT_PROMPT" | head -1).txt"
merge: checks
---
# The night

## Batch 1: Files
### Task 1: one
### Task 2: two

## Batch 2: More
### Task 3: three
\`\`\`yaml
needs: ["1", "2"]
\`\`\`
`

describe('a person at a terminal', () => {
  const served = servedPlace()
  let remote: MadeRepository

  beforeAll(async () => {
    remote = await makeRepository(join(served.place.folder, 'remote.git'), {
      files: { 'plans/night.md': plan },
    })
  })

  /** What a command prints with --json; with other arguments as a person sees it. */
  async function json<T>(...args: string[]): Promise<T> {
    const end = await said(...args, '--json')
    expect(end.exitCode, end.stderr).toBe(0)
    return JSON.parse(end.stdout) as T
  }
  function said(...args: string[]) {
    const environment = { ...served.place.environment, NIGHTSHIFT_URL: served.server.url, TZ: 'UTC' }
    return runCli({ ...served.place, environment }, args)
  }
  const over = (id: string) =>
    until(async () => {
      const run = await json<Run>('runs', 'show', id)
      return run.state === 'done' ? run : null
    }, `the end of ${id}`)

  it('sets up a night, sees when it comes, and starts it now: what is done already is no noise', async () => {
    const added = await said(
      'schedule',
      'add',
      'nightly',
      '--cron',
      '30 2 * * 1-5',
      '--time-zone',
      'Europe/Berlin',
      '--window',
      '22:00-06:00',
      '--max-cost',
      '5',
      '--repo',
      remote.path,
      '--plan-path',
      'plans/night.md',
    )
    expect(added.exitCode, added.stderr).toBe(0)
    const [schedule] = (await json<{ items: Schedule[] }>('schedule', 'ls')).items
    expect(schedule).toMatchObject({ name: 'nightly', timeZone: 'Europe/Berlin', maxCost: 5, last: null })
    expect(schedule?.next).toHaveLength(5)
    expect((await said('schedule', 'ls')).stdout).toContain('nightly')

    const first = await over((await json<Run>('schedule', 'run', 'nightly')).id)
    expect(first).toMatchObject({ ok: true, schedule: 'nightly', outcomes: { merged: 3 } })
    const merged = await branchSha(remote.path, 'main')
    const second = await over((await json<Run>('schedule', 'run', 'nightly')).id)
    expect(second).toMatchObject({ ok: true, outcomes: { no_changes: 3 } })
    expect(await branchSha(remote.path, 'main')).toBe(merged)
    expect(await listBranches(remote.path)).toEqual(['main'])

    const runs = await json<{ items: Run[] }>('runs', 'ls', '--schedule', 'nightly')
    expect(runs.items.map(({ id }) => id)).toEqual([second.id, first.id])
    expect((await said('schedule', 'rm', 'nightly')).exitCode).toBe(0)
    expect((await said('schedule', 'run', 'nightly')).exitCode).toBe(2)
  })

  it('submits a plan of a file, looks at its run and tasks, and hears of every fault in it', async () => {
    const file = join(served.place.folder, 'plan.md')
    await writeFile(file, plan.replace('merge: checks\n', ''))
    const { id } = await json<Run>('submit', '--plan', file, '--repo', remote.path)
    const run = await over(id)
    expect(run).toMatchObject({ tasks: 3, outcomes: { no_changes: 3 }, schedule: null })
    const { items } = await json<{ items: Task[] }>('ls', '--run', id)
    expect(items.map(({ planTask }) => planTask).toSorted()).toEqual(['1', '2', '3'])
    const shown = await said('runs', 'show', id)
    expect([shown.exitCode, shown.stdout]).toEqual([0, expect.stringContaining('The night')])
    for (const line of shown.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)

    await writeFile(file, plan.replace('"2"', '"9"').replace('### Task 2', '### Task 1'))
    const refused = await said('submit', '--plan', file, '--repo', remote.path)
    expect([refused.exitCode, refused.stdout]).toEqual([2, ''])
    expect(refused.stderr).toMatch(/plan\.md:9:.*1/)
    expect(refused.stderr).toMatch(/plan\.md:14:.*9/)
  })
})
