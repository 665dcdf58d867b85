import { describe, expect, it } from 'vitest'
import { until } from '../support/nightshift.ts'
import { branchSha, commitTo, git, listBranches, showFile } from '../support/repositories.ts'
import { forgePlace } from './forge-place.ts'

const one = '/repos/{owner}/{repo}'
const createRoute = `POST ${one}/pulls`
const mergeRoute = `PUT ${one}/pulls/{pull_number}/merge`
const reviewRoute = `POST ${one}/pulls/{pull_number}/reviews`
const byChecks = { merge: 'checks' }

describe('what a forge makes a task wait for, or not', () => {
  const here = forgePlace({ NIGHTSHIFT_PR_LABELS: 'nightly', NIGHTSHIFT_PR_REVIEWERS: 'reviewer,stranger' })

  async function untilHeld(id: string, reason: RegExp) {
    return until(async () => {
      const task = await here.server.task(id)
      if (task.state === 'done') throw new Error(`ended ${task.outcome}: ${task.reason}`)
      return task.state === 'held' && reason.test(task.reason ?? '') ? task : null
    }, reason.source)
  }

  it('one wait after checks have passed is one wait: looked at more and more rarely', async () => {
    const repository = await here.repository()
    repository.protection.set('main', { checks: ['never'], approvals: 0, push: 'allowed' })
    const task = await here.submit(repository, byChecks)
    await untilHeld(task.id, /is expected/)
    const looks = `select (data->'waiting'->>'looks')::int as looks from progress where task_id = '${task.id}'`
    await until(async () => {
      const [row] = (await here.database.query(looks)) as { looks: number }[]
      return (row?.looks ?? 0) > 2 ? true : null
    }, 'a third look')
    await here.server.request('POST', `/api/v1/tasks/${task.id}/cancel`)
  })

  it('a forge that says for ever that it cannot be merged: it stays open, and says so', async () => {
    const repository = await here.repository()
    here.standIn.faults.refuse(mergeRoute, { status: 405, message: 'Pull Request is not mergeable' }, 100)
    const task = await here.done(repository, byChecks)
    while (here.standIn.faults.take(mergeRoute, ['refuse']) !== null);
    expect(task).toMatchObject({ outcome: 'open' })
    expect(task.reason).toContain('Pull Request is not mergeable')
    expect(repository.pull(1)).toMatchObject({ closed: false, mergedSha: null })
  })

  it('checks that the token may not see: it stays open, and says so', async () => {
    const repository = await here.repository()
    const message = 'Resource not accessible by personal access token'
    here.standIn.faults.refuse(`GET ${one}/commits/{ref}/check-runs`, { status: 403, message })
    const task = await here.done(repository, byChecks)
    expect(task).toMatchObject({ outcome: 'open' })
    expect(task.reason).toContain(message)
  })

  it('an administrator goes around nothing that the base demands', async () => {
    const repository = await here.repository()
    repository.admin = true
    repository.protection.set('main', { checks: ['build'], approvals: 0, push: 'allowed' })
    const task = await here.submit(repository, byChecks)
    await untilHeld(task.id, /waits for what main demands/)
    expect(repository.pull(1).mergedSha).toBeNull()
    const sha = repository.pull(1).lastHead
    repository.checkRuns.push({ sha, name: 'build', status: 'completed', conclusion: 'success' })
    expect(await here.server.untilDone(task.id)).toMatchObject({ outcome: 'merged' })
  })

  it('a reviewer whom the forge refuses takes no other along', async () => {
    const repository = await here.repository()
    expect(await here.done(repository, {})).toMatchObject({ outcome: 'open', reason: null })
    expect(repository.pull(1)).toMatchObject({ labels: ['nightly'], reviewers: ['reviewer'] })
  })

  it('a review that the forge takes in no form is said as a comment, once', async () => {
    const repository = await here.repository()
    const errors = ['commit_id is not part of the pull request']
    here.standIn.faults.refuse(reviewRoute, { status: 422, message: 'Unprocessable Entity', errors }, 9)
    const task = await here.done(repository, {
      reviewCommand: `echo '{"verdict": "approve", "findings": [{"file": "one.txt", "line": 1, "severity": "minor", "message": "Hm."}]}'`,
    })
    while (here.standIn.faults.take(reviewRoute, ['refuse']) !== null);
    expect(task).toMatchObject({ outcome: 'open', evidence: { pullRequest: { reviews: 1 } } })
    expect(repository.pull(1).comments).toHaveLength(1)
    expect(repository.pull(1).comments[0]?.body).toContain('Hm.')
  })

  it('a token that may not ask who it is, as that of GitHub Actions', async () => {
    const repository = await here.repository()
    const message = 'Resource not accessible by integration'
    here.standIn.faults.refuse('GET /user', { status: 403, message }, 9)
    const task = await here.done(repository, {
      merge: 'review',
      command: 'echo "$NIGHTSHIFT_ROUND" > one.txt',
      reviewCommand: `grep -q 0 one.txt && echo '{"verdict": "request_changes", "findings": [{"file": "one.txt", "line": 1, "severity": "blocking", "message": "More."}]}' || echo '{"verdict": "approve"}'`,
    })
    while (here.standIn.faults.take('GET /user', ['refuse']) !== null);
    expect(task).toMatchObject({ outcome: 'merged', evidence: { pullRequest: { reviews: 2 } } })
    expect(repository.pull(1).reviews.map(({ state }) => state)).toEqual(['COMMENTED', 'COMMENTED'])
    expect(repository.pull(1).replies).toHaveLength(1)
  })

  it('a base that somebody deletes is not replaced by another branch', async () => {
    const repository = await here.repository()
    await commitTo(repository.path, 'release', { 'release.txt': '1\n' })
    const held = here.standIn.faults.hold(createRoute, 'before')
    const task = await here.submit(repository, { base: 'release' })
    await held.reached
    await git(repository.path, ['branch', '-D', 'release'])
    held.release()
    const ended = await here.server.untilDone(task.id)
    expect(ended).toMatchObject({ outcome: 'invalid' })
    expect(ended.reason).toContain('release')
    expect(repository.pulls).toEqual([])
  })

  it('a branch that somebody deletes, on a forge that shows its pull request as open: closed', async () => {
    const repository = await here.repository()
    repository.closesWithoutBranch = false
    repository.protection.set('main', { checks: ['build'], approvals: 0, push: 'allowed' })
    const task = await here.submit(repository, byChecks)
    await untilHeld(task.id, /is expected/)
    await git(repository.path, ['update-ref', '-d', `refs/heads/${task.branch}`])
    here.standIn.faults.refuse(mergeRoute, { status: 405, message: 'Pull Request is not mergeable' }, 9)
    const ended = await here.server.untilDone(task.id)
    while (here.standIn.faults.take(mergeRoute, ['refuse']) !== null);
    expect(ended).toMatchObject({ outcome: 'closed' })
    expect(ended.reason).toContain(task.branch)
    expect(await listBranches(repository.path)).toEqual(['main'])
  })

  it('what a person pushes onto the branch while it is merged stays there', async () => {
    const repository = await here.repository()
    const held = here.standIn.faults.hold(mergeRoute, 'after')
    const task = await here.submit(repository, byChecks)
    await held.reached
    const theirs = await commitTo(repository.path, task.branch, { 'person.txt': 'mine\n' })
    held.release()
    expect(await here.server.untilDone(task.id)).toMatchObject({ outcome: 'merged' })
    expect(await branchSha(repository.path, task.branch)).toBe(theirs)
    expect(await showFile(repository.path, 'main', 'person.txt')).toBeNull()
  })

  it('closed by a person, branch and all, while the review is being mended: nothing is pushed any more', async () => {
    const repository = await here.repository()
    const reviewed = here.standIn.faults.hold(reviewRoute, 'after')
    const task = await here.submit(repository, {
      command: 'echo "$NIGHTSHIFT_ROUND" > one.txt',
      reviewCommand: `echo '{"verdict": "request_changes", "findings": []}'`,
    })
    await reviewed.reached
    const { head, lastHead } = repository.pull(1)
    repository.pull(1).closed = true
    await git(repository.path, ['update-ref', '-d', `refs/heads/${head}`])
    reviewed.release()
    const ended = await here.server.untilDone(task.id)
    expect(ended).toMatchObject({ outcome: 'closed', evidence: { headSha: lastHead } })
    expect(await listBranches(repository.path)).toEqual(['main'])
  })
})
