import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newTaskId } from '../../src/model/task-id.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { confirmed, ending, newTask, sha, shared, submitAll, worker } from './sample.ts'

let test: TestDatabase
beforeAll(async () => {
  test = await testDatabase()
})
afterAll(() => test.close())

/** Runs the task to its end as the only one that a fresh pool holds. */
async function endAs(id: string, outcome: 'pushed' | 'no_changes' | 'agent_failed'): Promise<void> {
  for (;;) {
    const claimed = await test.store.claim(worker())
    if (claimed === null) throw new Error(`${id} cannot be claimed`)
    const { lease, task } = claimed
    if (task.id !== id) {
      await test.store.settle(lease, ending('no_changes'), null)
      continue
    }
    if (outcome === 'pushed') await test.store.intendPush(lease, { branch: task.branch, sha: sha('a') })
    const evidence = outcome === 'pushed' ? confirmed(sha('a')) : ending(outcome).evidence
    await test.store.settle(lease, { outcome, reason: null, evidence }, null)
    return
  }
}

describe('submit', () => {
  it('stores all that was asked, and answers it as it is shown', async () => {
    const asked = newTask({ base: 'main', priority: 3, paths: ['src/**'], prompt: 'Räume auf' })
    const answer = await test.store.submit([asked], shared)
    expect(answer).toMatchObject({ accepted: true, repeated: false })
    const task = await test.store.get(asked.id)
    expect(task).toMatchObject({
      state: 'queued',
      outcome: null,
      reason: null,
      base: 'main',
      branch: asked.branch,
      prompt: 'Räume auf',
      attempt: 0,
      priority: 3,
      paths: ['src/**'],
      evidence: null,
    })
    expect(await test.store.submissionOf(asked.id)).toEqual(asked)
    expect((await test.store.events(asked.id, { after: 0, limit: 10 })).map((event) => event.text)).toEqual([
      'queued',
    ])
    await endAs(asked.id, 'no_changes')
  })

  it('keeps texts that PostgreSQL cannot hold, with what it cannot hold replaced', async () => {
    const asked = newTask({ prompt: 'a\0b\ud800c', paths: ['x\0y'] })
    asked.options.command = 'echo \0\udfff'
    await submitAll(test.store, [asked])
    const stored = await test.store.submissionOf(asked.id)
    expect(stored?.prompt).toBe('a\ufffdb\ufffdc')
    expect(stored?.paths).toEqual(['x\ufffdy'])
    expect(stored?.options.command).toBe('echo \ufffd\ufffd')
    await endAs(asked.id, 'no_changes')
  })

  it('stores all or none', async () => {
    const good = newTask()
    await expect(test.store.submit([good, good], shared)).rejects.toThrow(/duplicate key/)
    expect(await test.store.get(good.id)).toBeNull()
  })

  it('refuses unknown needs as a value, and a need of itself or of a later one of the same list', async () => {
    const later = newTask()
    const unknown = newTaskId()
    const answer = await test.store.submit([newTask({ needs: [later.id, unknown] }), later], shared)
    expect(answer).toEqual({
      accepted: false,
      refusal: { kind: 'unknown_needs', ids: [later.id, unknown] },
    })
    const own = newTask()
    expect(await test.store.submit([{ ...own, needs: [own.id] }], shared)).toMatchObject({ accepted: false })
    expect(await test.store.get(later.id)).toBeNull()
  })

  it('takes the end of an id as a need, in lower case too', async () => {
    const need = newTask()
    const [, id] = await submitAll(test.store, [need, newTask({ needs: [need.id] })])
    const dependent = newTask({ needs: [need.id.slice(-8).toLowerCase()] })
    await submitAll(test.store, [dependent])
    expect((await test.store.get(dependent.id))?.needs).toEqual([need.id])
    await endAs(need.id, 'no_changes')
    await endAs(id ?? '', 'no_changes')
    await endAs(dependent.id, 'no_changes')
  })
})

describe('needs', () => {
  it('a dependent waits, says for whom, and is queued by the end of the last one', async () => {
    const [first, second] = [newTask(), newTask()]
    const dependent = newTask({ needs: [first.id, second.id] })
    await submitAll(test.store, [first, second, dependent])
    expect(await test.store.get(dependent.id)).toMatchObject({
      state: 'held',
      reason: `waits for tasks ${first.id}, ${second.id}`,
    })
    await endAs(first.id, 'pushed')
    expect(await test.store.get(dependent.id)).toMatchObject({
      state: 'held',
      reason: `waits for task ${second.id}`,
    })
    await endAs(second.id, 'no_changes')
    expect(await test.store.get(dependent.id)).toMatchObject({ state: 'queued', reason: null })
    const claimed = await test.store.claim(worker())
    expect(claimed?.task.id).toBe(dependent.id)
    expect(claimed?.needBranches).toEqual([
      { taskId: first.id, repo: first.repo, branch: first.branch, headSha: sha('a') },
    ])
    if (claimed !== null) await test.store.settle(claimed.lease, ending('no_changes'), null)
  })

  it('a need that ended badly skips its dependents down the chain, and each says whom to blame', async () => {
    const root = newTask()
    const child = newTask({ needs: [root.id] })
    const grandchild = newTask({ needs: [child.id] })
    await submitAll(test.store, [root, child, grandchild])
    await endAs(root.id, 'agent_failed')
    expect(await test.store.get(child.id)).toMatchObject({
      state: 'done',
      outcome: 'skipped',
      reason: `it needs task ${root.id}, which ended agent_failed`,
    })
    expect(await test.store.get(grandchild.id)).toMatchObject({
      state: 'done',
      outcome: 'skipped',
      reason: `it needs task ${child.id}, which ended skipped, because task ${root.id} ended agent_failed`,
    })
    const events = await test.store.events(grandchild.id, { after: 0, limit: 10 })
    expect(events.at(-1)).toMatchObject({ type: 'state', data: { state: 'done', outcome: 'skipped' } })
  })

  it('a task whose need has ended already starts at once, or is skipped at once with all behind it', async () => {
    const [good, bad] = [newTask(), newTask()]
    await submitAll(test.store, [good, bad])
    await endAs(good.id, 'no_changes')
    await test.store.cancel(bad.id, 'not wanted')
    const [fine, skipped] = [newTask({ needs: [good.id] }), newTask({ needs: [good.id, bad.id] })]
    const behind = newTask({ needs: [skipped.id] })
    const answer = await test.store.submit([fine, skipped, behind], shared)
    expect(answer.accepted && answer.tasks.map((task) => task.outcome ?? task.state)).toEqual([
      'queued',
      'skipped',
      'skipped',
    ])
    await endAs(fine.id, 'no_changes')
  })

  it('two needs that end at the same moment never leave their dependent behind', async () => {
    const other = await test.another()
    for (let round = 0; round < 20; round++) {
      const needs = [newTask(), newTask()]
      const dependent = newTask({ needs: needs.map((need) => need.id) })
      await submitAll(test.store, [...needs, dependent])
      const claims = [await test.store.claim(worker()), await other.claim(worker())]
      await Promise.all(
        claims.map((claimed, index) =>
          claimed === null
            ? Promise.reject(new Error('nothing to claim'))
            : [test.store, other][index]?.settle(claimed.lease, ending('no_changes'), null),
        ),
      )
      expect((await test.store.get(dependent.id))?.state).toBe('queued')
      await endAs(dependent.id, 'no_changes')
    }
  })

  it('a task submitted while its need ends is never left behind', async () => {
    const other = await test.another()
    for (let round = 0; round < 20; round++) {
      const need = newTask()
      await submitAll(test.store, [need])
      const claimed = await test.store.claim(worker())
      if (claimed === null) throw new Error('nothing to claim')
      const dependent = newTask({ needs: [need.id] })
      await Promise.all([
        test.store.settle(claimed.lease, ending('no_changes'), null),
        submitAll(other, [dependent]),
      ])
      expect((await test.store.get(dependent.id))?.state).toBe('queued')
      await endAs(dependent.id, 'no_changes')
    }
  })
})

function keyed(key: string, requestHash: string) {
  return { ...shared, idempotency: { key, requestHash } }
}

describe('an idempotency key', () => {
  it('answers the tasks of the first request, and refuses another request', async () => {
    const first = await test.store.submit([newTask()], keyed('key-1', 'hash'))
    const second = await test.store.submit([newTask()], keyed('key-1', 'hash'))
    if (!first.accepted || !second.accepted) throw new Error('refused')
    expect(second.repeated).toBe(true)
    expect(second.tasks.map((task) => task.id)).toEqual(first.tasks.map((task) => task.id))
    expect(await test.store.submit([newTask()], keyed('key-1', 'other'))).toEqual({
      accepted: false,
      refusal: { kind: 'idempotency_conflict', key: 'key-1' },
    })
  })

  it('used by ten requests at the same moment, makes one task', async () => {
    const other = await test.another()
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        (index % 2 === 0 ? test.store : other).submit([newTask()], keyed('key-2', 'hash')),
      ),
    )
    const ids = answers.map((answer) => (answer.accepted ? answer.tasks[0]?.id : answer.refusal.kind))
    expect(new Set(ids).size).toBe(1)
    expect(answers.filter((answer) => answer.accepted && !answer.repeated)).toHaveLength(1)
  })

  it('is not used up by a request that was refused', async () => {
    const refused = await test.store.submit([newTask({ needs: ['nobody'] })], keyed('key-3', 'hash'))
    expect(refused.accepted).toBe(false)
    expect(await test.store.submit([newTask()], keyed('key-3', 'other'))).toMatchObject({ repeated: false })
  })

  it('is forgotten after a day', async () => {
    await test.store.submit([newTask()], keyed('key-4', 'hash'))
    await test.query("update idempotency_keys set created_at = now() - interval '25 hours'")
    expect(await test.store.submit([newTask()], keyed('key-4', 'other'))).toMatchObject({ repeated: false })
    await test.store.sweep()
    expect(await test.query('select key from idempotency_keys')).toEqual([{ key: 'key-4' }])
  })
})
