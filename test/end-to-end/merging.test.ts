import { describe, expect, it } from 'vitest'
import { until } from '../support/nightshift.ts'
import { branchSha, commitTo, git, listBranches, showFile } from '../support/repositories.ts'
import { outputOf } from '../support/worker.ts'
import { botToken } from '../support/github/stand-in.ts'
import { forgePlace } from './forge-place.ts'

const mergeRoute = 'PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge'
const deleteRoute = 'DELETE /repos/{owner}/{repo}/git/refs/{ref}'

describe('merging by checks', () => {
  const here = forgePlace()
  const byChecks = { merge: 'checks' }

  async function untilHeld(id: string, hold: RegExp) {
    return until(async () => {
      const task = await here.server.task(id)
      if (task.state === 'done') throw new Error(`ended ${task.outcome}: ${task.reason}`)
      return task.state === 'held' && hold.test(task.reason ?? '') ? task : null
    }, `${id} to wait for ${hold.source}`)
  }

  async function prepares(id: string): Promise<number> {
    const response = await here.server.request('GET', `/api/v1/tasks/${id}/events`)
    return (await response.text()).split('is pinned at').length - 1
  }

  it.each(['merge', 'squash', 'rebase'])(
    'with %s: on the base, and the branch is gone',
    async (mergeMethod) => {
      const repository = await here.repository()
      const task = await here.done(repository, { ...byChecks, mergeMethod })
      expect(task).toMatchObject({ outcome: 'merged', reason: null })
      const main = await branchSha(repository.path, 'main')
      expect(task.evidence).toMatchObject({ mergedSha: main, pullRequest: { number: 1, mergedSha: main } })
      expect(await showFile(repository.path, 'main', 'one.txt')).toBe('1\n')
      expect(await listBranches(repository.path)).toEqual(['main'])
      const parents = (await git(repository.path, ['log', '-1', '--format=%P', 'main'])).trim().split(' ')
      expect(parents).toHaveLength(mergeMethod === 'merge' ? 2 : 1)
    },
  )

  it('waits for checks that run, without a slot, without its agent and without the gate again', async () => {
    const repository = await here.repository({
      '.nightshift.yaml': 'checks:\n  - name: test\n    run: echo "the gate looks"\n',
    })
    repository.protection.set('main', { checks: ['build'], approvals: 0, push: 'allowed' })
    const task = await here.submit(repository, byChecks)
    await untilHeld(task.id, /Required status check "build" is expected/)
    const sha = (await branchSha(repository.path, task.branch)) ?? ''
    repository.checkRuns.push({ sha, name: 'build', status: 'in_progress', conclusion: null })
    await untilHeld(task.id, /waits for checks: build/)
    // Another look is a question about the checks, and nothing else.
    const checksRoute = 'GET /repos/{owner}/{repo}/commits/{ref}/check-runs'
    const [looks, prepared] = [here.standIn.count(checksRoute), await prepares(task.id)]
    await until(async () => (here.standIn.count(checksRoute) > looks + 1 ? true : null), 'two more looks')
    expect(await prepares(task.id)).toBe(prepared)
    const run = repository.checkRuns.at(-1)
    if (run !== undefined) Object.assign(run, { status: 'completed', conclusion: 'success' })
    const ended = await here.server.untilDone(task.id)
    expect(ended).toMatchObject({ outcome: 'merged' })
    expect(ended.attempt).toBeGreaterThan(2)
    expect(ended.evidence?.checks).toMatchObject([{ name: 'test', exitCode: 0 }])
    const output = await outputOf(here.database, task.id)
    expect(output.split('the agent runs')).toHaveLength(2)
    expect(output.split('the gate looks')).toHaveLength(2)
    expect(repository.pulls).toHaveLength(1)
  })

  it('a check of the forge that fails ends it checks_failed; the pull request stays', async () => {
    const repository = await here.repository()
    const held = here.standIn.faults.hold('POST /repos/{owner}/{repo}/pulls', 'before')
    const task = await here.submit(repository, byChecks)
    await held.reached
    const sha = (await branchSha(repository.path, task.branch)) ?? ''
    repository.checkRuns.push({ sha, name: 'build', status: 'completed', conclusion: 'failure' })
    held.release()
    const ended = await here.server.untilDone(task.id)
    expect(ended).toMatchObject({ outcome: 'checks_failed' })
    expect(ended.reason).toContain('build (failure)')
    expect(repository.pull(1).closed).toBe(false)
    expect(await branchSha(repository.path, task.branch)).toBe(sha)
  })

  it('a base that wants a person’s approval leaves it open, and says so', async () => {
    const repository = await here.repository()
    repository.protection.set('main', { checks: [], approvals: 1, push: 'allowed' })
    const task = await here.done(repository, byChecks)
    expect(task).toMatchObject({ outcome: 'open' })
    expect(task.reason).toContain('At least 1 approving review is required')
  })

  it.each([
    ['Repository rule violations found\n\nChanges must be made through the merge queue', 405],
    ['A conversation must be resolved before this pull request can be merged.', 405],
    ['Resource not accessible by personal access token', 403],
  ])('a base that says "%s" leaves it open, and says so', async (message, status) => {
    const repository = await here.repository()
    here.standIn.faults.refuse(mergeRoute, { status, message })
    const task = await here.done(repository, byChecks)
    expect(task).toMatchObject({ outcome: 'open' })
    expect(task.reason).toContain(message.split('\n').at(-1))
    expect(repository.pull(1).closed).toBe(false)
    expect(await branchSha(repository.path, task.branch)).toBe(task.evidence?.headSha)
  })

  it('a branch that the forge itself deletes after the merge', async () => {
    const repository = await here.repository()
    const held = here.standIn.faults.hold(deleteRoute, 'before')
    const task = await here.submit(repository, byChecks)
    await held.reached
    await git(repository.path, ['update-ref', '-d', `refs/heads/${task.branch}`])
    held.release()
    expect(await here.server.untilDone(task.id)).toMatchObject({ outcome: 'merged', reason: null })
  })

  it('a token that is revoked, and a repository that is archived, while it waits: invalid, and says so', async () => {
    for (const [undo, words] of [
      ['revoked', /token|credentials/i],
      ['archived', /archived/i],
    ] as const) {
      const repository = await here.repository()
      repository.protection.set('main', { checks: ['never'], approvals: 0, push: 'allowed' })
      const task = await here.submit(repository, byChecks)
      await untilHeld(task.id, /is expected/)
      if (undo === 'revoked') here.standIn.tokens.delete(botToken)
      else repository.archived = true
      repository.protection.clear()
      const ended = await here.server.untilDone(task.id)
      here.standIn.tokens.set(botToken, 'bot')
      expect(ended).toMatchObject({ outcome: 'invalid' })
      expect(ended.reason).toMatch(words)
      expect(repository.pull(1)).toMatchObject({ closed: false, mergedSha: null })
    }
  })

  it('a method that the repository does not allow leaves it open, and says so', async () => {
    const repository = await here.repository()
    repository.methods.delete('merge')
    const task = await here.done(repository, byChecks)
    expect(task).toMatchObject({ outcome: 'open' })
    expect(task.reason).toContain('not allowed')
  })

  it.each([
    [405, 'Base branch was modified. Review and try the merge again.'],
    [409, 'Head branch was modified. Review and try the merge again.'],
    [405, 'Pull Request is not mergeable'],
    [405, 'Merge already in progress'],
  ])('%d, %s: tried again', async (status, message) => {
    const repository = await here.repository()
    here.standIn.faults.refuse(mergeRoute, { status, message })
    expect(await here.done(repository, byChecks)).toMatchObject({ outcome: 'merged' })
    expect(await showFile(repository.path, 'main', 'one.txt')).toBe('1\n')
  })

  it('an answer to the merge, or to the end of the branch, that was lost: merged once', async () => {
    const repository = await here.repository()
    here.standIn.faults.lose(mergeRoute)
    here.standIn.faults.lose(deleteRoute)
    const task = await here.done(repository, byChecks)
    expect(task).toMatchObject({ outcome: 'merged' })
    expect((await git(repository.path, ['rev-list', '--count', 'main'])).trim()).toBe('3')
    expect(await listBranches(repository.path)).toEqual(['main'])
  })

  it('a base that has moved meanwhile: brought onto it, judged again, merged with both', async () => {
    const repository = await here.repository({
      '.nightshift.yaml': 'checks:\n  - name: both\n    run: ls\n',
      'README.md': 'x\n',
    })
    const held = here.standIn.faults.hold('POST /repos/{owner}/{repo}/pulls', 'before')
    const task = await here.submit(repository, byChecks)
    await held.reached
    const theirs = await commitTo(repository.path, 'main', { 'two.txt': '2\n' })
    held.release()
    const ended = await here.server.untilDone(task.id)
    expect(ended).toMatchObject({ outcome: 'merged' })
    expect(ended.evidence).toMatchObject({ baseSha: theirs, files: ['one.txt'] })
    expect(await showFile(repository.path, 'main', 'one.txt')).toBe('1\n')
    expect(await showFile(repository.path, 'main', 'two.txt')).toBe('2\n')
    // The gate saw both together.
    expect(await outputOf(here.database, task.id)).toMatch(/one\.txt\n(?:.*\n)*two\.txt/)
  })

  it('closed by a person, merged by a person, its branch deleted by a person', async () => {
    const repository = await here.repository()
    repository.protection.set('main', { checks: ['never'], approvals: 0, push: 'allowed' })
    const tasks = []
    for (const name of ['one', 'two', 'three']) {
      const task = await here.submit(repository, { ...byChecks, command: `echo 1 > ${name}.txt` })
      await untilHeld(task.id, /is expected/)
      tasks.push(task)
    }
    const [one, two, three] = tasks.map(
      (task) => repository.pulls.find((pull) => pull.head === task.branch) ?? repository.pull(0),
    )
    if (one === undefined || two === undefined || three === undefined)
      throw new Error('a pull request is missing')
    one.closed = true
    const mergedSha = await repository.merge(two, 'merge')
    await git(repository.path, ['update-ref', '-d', `refs/heads/${three.head}`])
    repository.protection.clear()
    const [first, second, third] = await Promise.all(tasks.map((task) => here.server.untilDone(task.id)))
    expect(first).toMatchObject({ outcome: 'closed' })
    expect(second).toMatchObject({ outcome: 'merged', evidence: { pullRequest: { mergedSha } } })
    expect(third).toMatchObject({ outcome: 'closed' })
    expect(repository.pulls).toHaveLength(3)
  })

  it.each(['merge', 'squash'])(
    'a person who merges (%s) while we are about to is the one who did',
    async (how) => {
      const repository = await here.repository()
      const opened = here.standIn.faults.hold('POST /repos/{owner}/{repo}/pulls', 'after')
      const task = await here.submit(repository, byChecks)
      await opened.reached
      const mergedSha = await repository.merge(repository.pull(1), how)
      opened.release()
      const ended = await here.server.untilDone(task.id)
      expect(ended).toMatchObject({ outcome: 'merged', evidence: { mergedSha, pullRequest: { mergedSha } } })
      expect(await branchSha(repository.path, 'main')).toBe(mergedSha)
    },
  )

  it('a forge that shows it as open for a moment after that is asked again', async () => {
    const repository = await here.repository()
    const pullRoute = 'GET /repos/{owner}/{repo}/pulls/{pull_number}'
    const opened = here.standIn.faults.hold('POST /repos/{owner}/{repo}/pulls', 'after')
    const task = await here.submit(repository, byChecks)
    await opened.reached
    const pull = repository.pull(1)
    const mergedSha = await repository.merge(pull, 'squash')
    Object.assign(pull, { mergedSha: null, closed: false })
    const asked = here.standIn.count(pullRoute)
    opened.release()
    await until(async () => (here.standIn.count(pullRoute) > asked + 1 ? true : null), 'two more questions')
    Object.assign(pull, { mergedSha, closed: true })
    expect(await here.server.untilDone(task.id)).toMatchObject({
      outcome: 'merged',
      evidence: { mergedSha, pullRequest: { mergedSha } },
    })
  })

  it('all that it did is on the base by other ways: it stays open, and says so', async () => {
    const repository = await here.repository()
    const opened = here.standIn.faults.hold('POST /repos/{owner}/{repo}/pulls', 'after')
    const task = await here.submit(repository, byChecks)
    await opened.reached
    await commitTo(repository.path, 'main', { 'one.txt': '1\n' })
    opened.release()
    const ended = await here.server.untilDone(task.id)
    expect(ended).toMatchObject({ outcome: 'open', evidence: { mergedSha: null } })
    expect(ended.reason).toContain('All that it did is on main already')
    expect(repository.pull(1)).toMatchObject({ closed: false, mergedSha: null })
  })

  it('what a person pushed onto its branch is never overwritten, and merging is left to people', async () => {
    const repository = await here.repository()
    repository.protection.set('main', { checks: ['never'], approvals: 0, push: 'allowed' })
    const task = await here.submit(repository, byChecks)
    await untilHeld(task.id, /is expected/)
    const theirs = await commitTo(repository.path, task.branch, { 'person.txt': 'mine\n' })
    repository.protection.clear()
    await commitTo(repository.path, 'main', { 'moved.txt': 'on\n' })
    const ended = await here.server.untilDone(task.id)
    expect(ended).toMatchObject({ outcome: 'open' })
    expect(ended.reason).toContain('somebody else pushed')
    expect(await branchSha(repository.path, task.branch)).toBe(theirs)
    expect(repository.pulls).toHaveLength(1)
  })

  it('a person’s push in the very moment of ours is not overwritten either', async () => {
    const repository = await here.repository()
    const created = here.standIn.faults.hold('POST /repos/{owner}/{repo}/pulls', 'after')
    const task = await here.submit(repository, byChecks)
    await created.reached
    await commitTo(repository.path, 'main', { 'moved.txt': 'on\n' })
    const push = here.standIn.faults.hold('git push', 'before')
    created.release()
    await push.reached
    const theirs = await commitTo(repository.path, task.branch, { 'person.txt': 'mine\n' })
    push.release()
    const ended = await here.server.untilDone(task.id)
    expect(ended).toMatchObject({ outcome: 'open' })
    expect(await branchSha(repository.path, task.branch)).toBe(theirs)
    expect(await listBranches(repository.path)).toEqual(['main', task.branch])
  })
})
