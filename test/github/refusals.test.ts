import { describe, expect, it } from 'vitest'
import { branchSha, commitTo, git } from '../support/repositories.ts'
import { personToken } from '../support/github/stand-in.ts'
import { githubPlace, proposal } from './place.ts'

const mergeRoute = 'PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge'

describe('what GitHub refuses', () => {
  const place = githubPlace()

  it('a pull request without commits', async () => {
    const { repository, forge } = await place.proposed()
    await git(repository.path, ['branch', 'same', 'main'])
    expect(await forge.createPullRequest(proposal('same'))).toMatchObject({ kind: 'no_commits' })
  })

  it('a second pull request from one branch', async () => {
    const { forge } = await place.proposed()
    expect(await forge.createPullRequest(proposal('work'))).toEqual({ kind: 'exists' })
  })

  it('a branch, or a base, that is not there', async () => {
    const { forge } = await place.proposed()
    expect(await forge.createPullRequest(proposal('nowhere'))).toEqual({ kind: 'head_missing' })
    expect(await forge.createPullRequest({ ...proposal('work'), base: 'nowhere' })).toEqual({
      kind: 'base_missing',
    })
  })

  it('a review of one’s own pull request that approves or asks for changes; a comment it takes', async () => {
    const { forge, pull } = await place.proposed()
    const review = { sha: pull.head.sha, body: 'Well.', comments: [] }
    for (const verdict of ['approve', 'request_changes'] as const) {
      expect(await forge.postReview(pull.number, { ...review, verdict })).toEqual({
        kind: 'own_pull_request',
      })
    }
    expect(await forge.postReview(pull.number, { ...review, verdict: 'comment' })).toEqual({ kind: 'posted' })
    expect(await forge.reviews(pull.number)).toEqual([
      { id: 1, author: 'bot', state: 'commented', body: 'Well.', sha: pull.head.sha },
    ])
  })

  it('a second review while one is pending', async () => {
    const { repository, forge, pull } = await place.proposed()
    repository.pull(pull.number).reviews.push({
      id: 1,
      user: 'bot',
      state: 'PENDING',
      body: '',
      sha: pull.head.sha,
      comments: [],
    })
    const review = { sha: pull.head.sha, verdict: 'comment' as const, body: 'Well.', comments: [] }
    expect(await forge.postReview(pull.number, review)).toEqual({ kind: 'pending_review' })
  })

  it('a comment on a line that the diff does not have', async () => {
    const { forge, pull } = await place.proposed()
    const review = { sha: pull.head.sha, verdict: 'comment' as const, body: 'Well.' }
    const far = [{ path: 'a.txt', line: 99, body: 'Here?' }]
    expect(await forge.postReview(pull.number, { ...review, comments: far })).toMatchObject({
      kind: 'bad_line',
    })
    const near = [{ path: 'a.txt', line: 2, body: 'Here.' }]
    expect(await forge.postReview(pull.number, { ...review, comments: near })).toEqual({ kind: 'posted' })
  })

  it('a merge that conflicts', async () => {
    const { repository, forge, pull } = await place.proposed()
    await commitTo(repository.path, 'main', { 'a.txt': 'three\n' })
    const merged = await forge.merge(pull.number, { sha: pull.head.sha, method: 'merge' })
    expect(merged).toEqual({ kind: 'conflict', message: 'Pull Request is not mergeable' })
  })

  it('a merge while the base moves', async () => {
    const { forge, pull } = await place.proposed()
    const message = 'Base branch was modified. Review and try the merge again.'
    place.standIn.faults.refuse(mergeRoute, { status: 405, message })
    expect(await forge.merge(pull.number, { sha: pull.head.sha, method: 'merge' })).toEqual({
      kind: 'base_moved',
    })
  })

  it('a merge of a draft', async () => {
    const { repository, forge } = await place.proposed()
    await commitTo(repository.path, 'drafted', { 'b.txt': 'b\n' })
    const created = await forge.createPullRequest({ ...proposal('drafted'), draft: true })
    if (created.kind !== 'created') throw new Error(created.kind)
    const { number, head } = created.pullRequest
    expect(await forge.merge(number, { sha: head.sha, method: 'merge' })).toEqual({ kind: 'draft' })
  })

  it('a merge before a required check, and before a required review', async () => {
    const { repository, forge, pull } = await place.proposed()
    repository.protection.set('main', { checks: ['build'], approvals: 1, push: 'allowed' })
    const merge = () => forge.merge(pull.number, { sha: pull.head.sha, method: 'merge' as const })
    expect(await merge()).toEqual({
      kind: 'check_expected',
      message: 'Required status check "build" is expected.',
    })
    repository.statuses.push({ sha: pull.head.sha, context: 'build', state: 'success' })
    expect(await merge()).toMatchObject({ kind: 'review_expected' })
    const person = place.forgeOf(repository, place.open({ account: { kind: 'token', token: personToken } }))
    const approval = { sha: pull.head.sha, verdict: 'approve' as const, body: '', comments: [] }
    expect(await person.postReview(pull.number, approval)).toEqual({ kind: 'posted' })
    expect(await merge()).toMatchObject({ kind: 'merged' })
  })

  it.each([
    ['3 of 4 required status checks have not succeeded: 1 expected and 1 pending.', 'check_expected'],
    ['Repository rule violations found\n\nRequired status check "build" is expected.', 'check_expected'],
    ['Waiting on code owner review from team/owners.', 'review_expected'],
    ['Squash merges are not allowed on this repository.', 'refused'],
    ['You’re not authorized to push to this branch.', 'refused'],
  ])('a merge, saying: %s', async (message, kind) => {
    const { forge, pull } = await place.proposed()
    place.standIn.faults.refuse(mergeRoute, { status: 405, message })
    expect(await forge.merge(pull.number, { sha: pull.head.sha, method: 'merge' })).toMatchObject({ kind })
  })

  it('a merge of a head that has moved', async () => {
    const { repository, forge, pull } = await place.proposed()
    await commitTo(repository.path, 'work', { 'c.txt': 'c\n' })
    expect(await forge.merge(pull.number, { sha: pull.head.sha, method: 'merge' })).toEqual({
      kind: 'head_moved',
    })
  })

  it('a merge that this account may not do', async () => {
    const { forge, pull } = await place.proposed()
    const message = 'Resource not accessible by personal access token'
    place.standIn.faults.refuse(mergeRoute, { status: 403, message })
    expect(await forge.merge(pull.number, { sha: pull.head.sha, method: 'merge' })).toEqual({
      kind: 'refused',
      message,
    })
  })

  it('nothing, where a branch is deleted that is gone already', async () => {
    const { repository, forge } = await place.proposed()
    expect(await forge.deleteBranch('work')).toBe(true)
    expect(await branchSha(repository.path, 'work')).toBeNull()
    expect(await forge.deleteBranch('work')).toBe(true)
  })

  it('everything, once the token is revoked', async () => {
    const { repository } = await place.proposed()
    const forge = place.forgeOf(
      repository,
      place.open({ account: { kind: 'token', token: 'ghp_of_yesterday' } }),
    )
    await expect(forge.pullRequestsFrom('work')).rejects.toMatchObject({ fault: 'credentials_refused' })
  })

  it('changes to an archived repository', async () => {
    const { repository, forge } = await place.proposed()
    await commitTo(repository.path, 'late', { 'd.txt': 'd\n' })
    repository.archived = true
    await expect(forge.createPullRequest(proposal('late'))).rejects.toMatchObject({ fault: 'archived' })
    expect(await forge.facts()).toMatchObject({ defaultBranch: 'main', archived: true })
  })
})
