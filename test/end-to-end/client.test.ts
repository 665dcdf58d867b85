import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
// By the name under which the package exports it.
import { connect, runTask, ServerProblem } from 'nightshift/client'
import { branchSha, makeRepository } from '../support/repositories.ts'
import { servedPlace } from '../support/served-place.ts'

describe('a script with the typed client', () => {
  const served = servedPlace()

  it('runs a task, and a plan, and learns why a request was refused', async () => {
    const { path: repo } = await makeRepository(join(served.place.folder, 'client.git'))
    const client = connect({ url: `${served.server.url}/` })
    const task = await runTask(client, { repo, prompt: 'One', command: 'echo one > one.txt' })
    expect([task.state, task.outcome]).toEqual(['done', 'pushed'])
    expect(await branchSha(repo, task.branch)).toBe(task.evidence?.headSha)

    const plan = '## Batch 1: A\n### Task 1: Two\n'
    const run = await client.startRun({ repo, plan, command: 'echo two > two.txt' })
    for (const { id } of (await client.list({ runId: run.id })).items) {
      for await (const event of client.events(id)) expect(event.taskId).toBe(id)
    }
    expect(await client.run(run.id)).toMatchObject({ state: 'done', ok: true, outcomes: { pushed: 1 } })

    const refused = await client.startRun({ repo, plan: '# Nothing\n' }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(ServerProblem)
    expect((refused as ServerProblem).status).toBe(422)
  })
})
