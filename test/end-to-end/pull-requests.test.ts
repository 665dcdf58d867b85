import { describe, expect, it } from 'vitest'
import { until } from '../support/nightshift.ts'
import { branchSha, commitTo, showFile } from '../support/repositories.ts'
import { forgePlace } from './forge-place.ts'

const createRoute = 'POST /repos/{owner}/{repo}/pulls'

describe('pull requests', () => {
  const here = forgePlace({ NIGHTSHIFT_PR_LABELS: 'nightly' })

  it('one is opened for a task, and says what was asked for, what changed and how to do it again', async () => {
    const repository = await here.repository()
    const task = await here.done(repository, { prompt: 'Write one\n\nFor @everybody, with `care`.' })
    expect(task).toMatchObject({ outcome: 'open', reason: null })
    expect(task.evidence?.pullRequest).toEqual({
      number: 1,
      url: `${here.standIn.url}/team/${repository.name}/pull/1`,
      reviews: 0,
      mergedSha: null,
    })
    const pull = repository.pull(1)
    expect(pull).toMatchObject({ head: task.branch, base: 'main', title: 'Write one', labels: ['nightly'] })
    expect(pull.body).toContain('For @everybody, with `care`.')
    expect(pull.body).toContain('- `one.txt`')
    expect(pull.body).toContain(`nightshift retry ${task.id.slice(-8).toLowerCase()}`)
    expect(await branchSha(repository.path, task.branch)).toBe(task.evidence?.headSha)
  })

  it('nothing is proposed where nothing changed', async () => {
    const repository = await here.repository()
    expect(await here.done(repository, { command: 'true' })).toMatchObject({ outcome: 'no_changes' })
    expect(repository.pulls).toEqual([])
  })

  it('an answer that was lost leads to no second one', async () => {
    const repository = await here.repository()
    here.standIn.faults.lose(createRoute)
    const task = await here.done(repository, {})
    expect(task).toMatchObject({ outcome: 'open', attempt: 2 })
    expect(repository.pulls).toHaveLength(1)
  })

  it('what the forge cannot see right after the push is asked for again', async () => {
    const repository = await here.repository()
    const errors = [{ resource: 'PullRequest', code: 'custom', message: 'No commits between main and work' }]
    here.standIn.faults.refuse(createRoute, { status: 422, message: 'Validation Failed', errors }, 2)
    expect(await here.done(repository, {})).toMatchObject({ outcome: 'open', attempt: 1 })
    expect(repository.pulls).toHaveLength(1)
  })

  it('a rate limit is waited out without a slot, and nobody else waits', async () => {
    const repository = await here.repository()
    const message = 'You have exceeded a secondary rate limit.'
    here.standIn.faults.refuse(createRoute, { status: 403, message, headers: { 'retry-after': '4' } })
    const task = await here.submit(repository, {})
    await until(async () => ((await here.server.task(task.id)).state === 'held' ? true : null), 'the limit')
    // Nor does git, which works on meanwhile with the same token.
    const [other, onGithub] = await Promise.all([
      here.server
        .submit({
          repo: here.place.folder + '/github/team/' + repository.name + '.git',
          prompt: 'x',
          command: 'true',
        })
        .then(({ id }) => here.server.untilDone(id)),
      here.done(await here.repository(), { command: 'true' }),
    ])
    expect(other).toMatchObject({ outcome: 'no_changes' })
    expect(onGithub).toMatchObject({ outcome: 'no_changes' })
    expect(await here.server.untilDone(task.id)).toMatchObject({ outcome: 'open', attempt: 2 })
  })

  it('a revoked token ends it, and says so', async () => {
    const repository = await here.repository()
    here.standIn.faults.refuse(createRoute, { status: 401, message: 'Bad credentials' })
    const task = await here.done(repository, {})
    expect(task).toMatchObject({ outcome: 'invalid' })
    expect(task.reason).toContain('refused the token')
  })

  it('an archived repository ends it, and says so', async () => {
    const repository = await here.repository()
    repository.archived = true
    const task = await here.done(repository, {})
    expect(task).toMatchObject({ outcome: 'invalid' })
    expect(task.reason).toContain('archived')
  })

  it('a protected branch that takes no push ends it, and says so', async () => {
    const repository = await here.repository()
    repository.protection.set('release', { checks: [], approvals: 0, push: 'GH006' })
    const task = await here.done(repository, { branch: 'release' })
    expect(task).toMatchObject({ outcome: 'invalid' })
    expect(task.reason).toContain('GH006')
  })

  it('a default branch that is renamed meanwhile is the base by its new name', async () => {
    const repository = await here.repository()
    const held = here.standIn.faults.hold(createRoute, 'before')
    const task = await here.submit(repository, {})
    await held.reached
    const { git } = await import('../support/repositories.ts')
    await git(repository.path, ['branch', '-m', 'main', 'trunk'])
    held.release()
    expect(await here.server.untilDone(task.id)).toMatchObject({ outcome: 'open' })
    expect(repository.pull(1).base).toBe('trunk')
  })

  it('a remote elsewhere is a plain remote', async () => {
    const repository = await here.repository()
    const task = await here.server.untilDone(
      (
        await here.server.submit({
          repo: repository.path,
          prompt: 'Write one',
          command: 'echo 1 > one.txt',
        })
      ).id,
    )
    expect(task).toMatchObject({ outcome: 'pushed' })
    expect(task.evidence?.pullRequest).toBeNull()
    expect(await showFile(repository.path, task.branch, 'one.txt')).toBe('1\n')
    await commitTo(repository.path, 'main', { 'x.txt': 'x' })
  })
})
