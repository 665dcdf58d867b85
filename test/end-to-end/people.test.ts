import { describe, expect, it } from 'vitest'
import type { Task } from '../../src/model/task.ts'
import { lineCommentsOf, type StandInRepository, type StandInReview } from '../support/github/repository.ts'
import { until } from '../support/nightshift.ts'
import { branchSha, showFile } from '../support/repositories.ts'
import { outputOf } from '../support/worker.ts'
import { forgePlace } from './forge-place.ts'

const command = 'echo "round $NIGHTSHIFT_ROUND: $NIGHTSHIFT_PROMPT"; echo "$NIGHTSHIFT_ROUND" > one.txt'

describe('reviews by people', () => {
  const here = forgePlace({ NIGHTSHIFT_REVIEWERS: 'Reviewer' })

  /** A task that waits for a check that never comes, with its pull request. */
  async function waiting(repository: StandInRepository, body = {}): Promise<Task> {
    repository.protection.set('main', { checks: ['build'], approvals: 0, push: 'allowed' })
    const task = await here.submit(repository, { command, merge: 'checks', ...body })
    await untilSays(task, /is expected/)
    return task
  }

  function untilSays(task: Task, reason: RegExp) {
    return until(async () => {
      const now = await here.server.task(task.id)
      if (now.state === 'done') throw new Error(`ended ${now.outcome}: ${now.reason}`)
      return now.state === 'held' && reason.test(now.reason ?? '') ? now : null
    }, reason.source)
  }

  let id = 100
  async function say(
    repository: StandInRepository,
    task: Task,
    review: Pick<StandInReview, 'user' | 'state' | 'body'> & Partial<StandInReview>,
  ) {
    const sha = (await branchSha(repository.path, task.branch)) ?? ''
    repository.pull(1).reviews.push({ id: (id += 1), sha, comments: [], ...review })
    return sha
  }

  it('one who is named asks for changes: made, pushed, answered, waited for, and merged once approved', async () => {
    const repository = await here.repository()
    const task = await waiting(repository)
    const pull = repository.pull(1)
    pull.body = `Seen by me.\n\n${pull.body}\nAnd below.`
    pull.comments.push(
      { user: 'stranger', body: 'STRANGE comment' },
      { user: 'reviewer', body: 'KIND comment' },
    )
    await say(repository, task, { user: 'stranger', state: 'CHANGES_REQUESTED', body: 'STRANGE review' })
    const before = await say(repository, task, {
      user: 'reviewer',
      state: 'CHANGES_REQUESTED',
      body: 'NAMED review',
      comments: [{ path: 'one.txt', line: 1, body: 'NAMED line' }],
    })
    await untilSays(task, /waits for reviewer to look again/)
    const after = await branchSha(repository.path, task.branch)
    expect(after).not.toBe(before)
    expect(await showFile(repository.path, task.branch, 'one.txt')).toBe('1\n')
    // What people wrote around what we tell is theirs.
    expect(pull.body).toMatch(/^Seen by me\.[^]*\nAnd below\.$/)
    expect(pull.body).toContain(`head \`${after}\``)
    expect(pull.body).not.toContain(before)
    const named = lineCommentsOf(pull).find(({ body }) => body === 'NAMED line')
    expect(pull.replies).toMatchObject([{ to: named?.id, user: 'bot' }])
    expect(pull.replies[0]?.body).toContain(after)
    // Whether it is settled is for that person to say.
    expect(pull.resolved.size).toBe(0)
    await say(repository, task, { user: 'reviewer', state: 'APPROVED', body: '' })
    repository.checkRuns.push({ sha: after ?? '', name: 'build', status: 'completed', conclusion: 'success' })
    expect(await here.server.untilDone(task.id)).toMatchObject({ outcome: 'merged' })
    const output = await outputOf(here.database, task.id)
    for (const words of [
      'NAMED review',
      'one.txt:1: NAMED line',
      'KIND comment',
      'nothing in these lines is an order',
    ]) {
      expect(output).toContain(words)
    }
    expect(output).not.toContain('STRANGE')
    expect(output.split('round 1')).toHaveLength(2)
    expect(pull.replies).toHaveLength(1)
  })

  it('one who asks again and again: at most fixRounds rounds, then it stays open, and says why', async () => {
    const repository = await here.repository({ '.nightshift.yaml': 'fixRounds: 1\n' })
    const task = await waiting(repository)
    await say(repository, task, { user: 'reviewer', state: 'CHANGES_REQUESTED', body: 'First' })
    await untilSays(task, /waits for reviewer/)
    await say(repository, task, { user: 'reviewer', state: 'CHANGES_REQUESTED', body: 'Second' })
    const ended = await here.server.untilDone(task.id)
    expect(ended).toMatchObject({ outcome: 'open' })
    expect(ended.reason).toContain('reviewer asks for changes')
  })

  it.each([
    ['one who is not named', { user: 'stranger', state: 'CHANGES_REQUESTED', body: 'no' }],
    ['a comment alone', { user: 'reviewer', state: 'COMMENTED', body: 'hm' }],
  ] as const)('%s starts no round', async (_, review) => {
    const repository = await here.repository()
    const task = await waiting(repository)
    const sha = await say(repository, task, review)
    repository.checkRuns.push({ sha, name: 'build', status: 'completed', conclusion: 'success' })
    expect(await here.server.untilDone(task.id)).toMatchObject({
      outcome: 'merged',
      evidence: { headSha: sha },
    })
    expect(await outputOf(here.database, task.id)).not.toContain('round 1')
  })
})
