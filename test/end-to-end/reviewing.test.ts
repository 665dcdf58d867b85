import { describe, expect, it } from 'vitest'
import { until } from '../support/nightshift.ts'
import { showFile, branchSha } from '../support/repositories.ts'
import { outputOf } from '../support/worker.ts'
import { lineCommentsOf } from '../support/github/repository.ts'
import { forgePlace } from './forge-place.ts'

const reviewRoute = 'POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews'
const approves = `echo '{"verdict": "approve", "findings": []}'`
/** Asks for a line `tested` in one.txt. */
const wantsTested = `grep -q tested one.txt && ${approves} && exit
echo 'Thinking about it...'
cat << 'END'
{"verdict": "request_changes", "findings": [
  {"file": "one.txt", "line": 1, "severity": "blocking", "message": "It is not tested; add a line that says tested."},
  {"file": "README.md", "line": 99, "severity": "minor", "message": "Nothing says so, @maintainers."}]}
END`
const mends = `case "$NIGHTSHIFT_PROMPT" in
  *'add a line that says tested'*) echo tested >> one.txt ;;
  *) echo "the agent runs"; echo 1 > one.txt ;;
esac`

describe('reviews by an agent', () => {
  const here = forgePlace()

  it('one that approves: said in words on our own pull request, and merged', async () => {
    const repository = await here.repository()
    const task = await here.done(repository, { merge: 'review', reviewCommand: approves })
    expect(task).toMatchObject({
      outcome: 'merged',
      evidence: { pullRequest: { reviews: 1 }, review: { verdict: 'approve', findings: [] } },
    })
    const { reviews } = repository.pull(1)
    expect(reviews).toHaveLength(1)
    expect(reviews[0]).toMatchObject({ state: 'COMMENTED', user: 'bot', comments: [] })
    expect(reviews[0]?.body).toContain('Approved.')
  })

  it('findings go on the lines of the diff, the others into the body; the agent mends; then it is merged', async () => {
    const repository = await here.repository()
    const task = await here.done(repository, { command: mends, merge: 'review', reviewCommand: wantsTested })
    expect(task).toMatchObject({ outcome: 'merged', evidence: { pullRequest: { reviews: 2 } } })
    expect(await showFile(repository.path, 'main', 'one.txt')).toBe('1\ntested\n')
    const [first, second] = repository.pull(1).reviews
    expect(first?.comments).toMatchObject([{ path: 'one.txt', line: 1 }])
    expect(first?.body).toContain('Changes are asked for.')
    expect(first?.body).toContain('README.md:99')
    // The thread says which commit answers it, once, and is resolved.
    const pull = repository.pull(1)
    const [finding] = lineCommentsOf(pull)
    expect(pull.replies).toMatchObject([{ to: finding?.id, user: 'bot' }])
    expect(pull.replies[0]?.body).toContain(task.evidence?.headSha)
    expect([...pull.resolved]).toEqual([finding?.id])
    // What the pull request says is about the head that was merged.
    expect(pull.body).toContain(`head \`${task.evidence?.headSha}\``)
    expect(pull.body.match(/## What changed\n\n1 files, \+2 -0/g)).toHaveLength(1)
    // A reviewer's words call nobody.
    expect(first?.body).not.toContain('@maintainers')
    expect(second?.body).toContain('Approved.')
    expect((await outputOf(here.database, task.id)).split('the agent runs')).toHaveLength(2)
  })

  it('a thread whose answer, or whose end, was lost is answered once', async () => {
    const repository = await here.repository()
    here.standIn.faults.lose('POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies')
    here.standIn.faults.lose('POST /graphql', 2)
    const task = await here.done(repository, { command: mends, merge: 'review', reviewCommand: wantsTested })
    expect(task).toMatchObject({ outcome: 'merged', evidence: { pullRequest: { reviews: 2 } } })
    expect(repository.pull(1).replies).toHaveLength(1)
    expect(repository.pull(1).resolved.size).toBe(1)
  })

  it('an edit of what it says that is refused or lost costs nothing', async () => {
    const edit = 'PATCH /repos/{owner}/{repo}/pulls/{pull_number}'
    const refused = await here.repository()
    here.standIn.faults.refuse(edit, { status: 403, message: 'Resource not accessible by integration' })
    const options = { command: mends, merge: 'review', reviewCommand: wantsTested }
    expect(await here.done(refused, options)).toMatchObject({ outcome: 'merged', attempt: 1 })
    expect(refused.pull(1).body).not.toContain('+2 -0')
    const lost = await here.repository()
    here.standIn.faults.lose(edit)
    expect(await here.done(lost, options)).toMatchObject({ outcome: 'merged', attempt: 1 })
    expect(lost.pull(1).body).toContain('+2 -0')
  })

  it.each([
    [404, 'Not Found'],
    [403, 'Resource not accessible by personal access token'],
  ])('where GraphQL answers %d, threads are answered and stay unresolved', async (status, message) => {
    const repository = await here.repository()
    here.standIn.faults.refuse('POST /graphql', { status, message })
    const task = await here.done(repository, { command: mends, merge: 'review', reviewCommand: wantsTested })
    expect(task).toMatchObject({ outcome: 'merged' })
    expect(repository.pull(1).replies).toHaveLength(1)
    expect(repository.pull(1).resolved.size).toBe(0)
  })

  it('without merging, a review is made where a reviewer was asked for', async () => {
    const repository = await here.repository()
    const task = await here.done(repository, { reviewCommand: approves })
    expect(task).toMatchObject({ outcome: 'open', reason: null, evidence: { pullRequest: { reviews: 1 } } })
  })

  it('an agent that does not mend: at most fixRounds tries, then it stays open, and says why', async () => {
    const repository = await here.repository({ '.nightshift.yaml': 'fixRounds: 1\n' })
    const task = await here.done(repository, {
      command: 'echo "$NIGHTSHIFT_ROUND" > one.txt',
      merge: 'review',
      reviewCommand: wantsTested,
    })
    expect(task).toMatchObject({ outcome: 'open', evidence: { pullRequest: { reviews: 2 } } })
    expect(task.reason).toContain('It is not tested')
    expect(await showFile(repository.path, task.branch, 'one.txt')).toBe('1\n')
    expect(repository.pull(1).closed).toBe(false)
  })

  it('an agent that mends the review and breaks a check: nothing of that is pushed', async () => {
    const repository = await here.repository({
      '.nightshift.yaml': 'fixRounds: 1\nchecks:\n  - name: no-test\n    run: "! grep -q tested one.txt"\n',
    })
    const task = await here.done(repository, { command: mends, merge: 'review', reviewCommand: wantsTested })
    expect(task).toMatchObject({ outcome: 'checks_failed' })
    expect(await showFile(repository.path, task.branch, 'one.txt')).toBe('1\n')
  })

  it('an answer that cannot be used is asked for once more, then it ends agent_failed', async () => {
    const repository = await here.repository()
    const task = await here.done(repository, {
      merge: 'review',
      reviewCommand: 'echo "the reviewer runs"; echo \'{"verdict": "maybe"}\'',
    })
    expect(task).toMatchObject({ outcome: 'agent_failed' })
    expect(task.reason).toContain('verdict')
    expect((await outputOf(here.database, task.id)).split('the reviewer runs')).toHaveLength(3)
    expect(repository.pull(1).closed).toBe(false)
    expect(repository.pull(1).reviews).toEqual([])
  })

  it('the reviewer cannot change the clone, and what it leaves goes nowhere', async () => {
    const repository = await here.repository()
    const task = await here.done(repository, {
      merge: 'review',
      reviewCommand: `echo evil > one.txt || echo "it is read-only"; git commit -q --allow-empty -m evil; ${approves}`,
    })
    expect(task).toMatchObject({ outcome: 'merged' })
    expect(await outputOf(here.database, task.id)).toContain('it is read-only')
    expect(await showFile(repository.path, 'main', 'one.txt')).toBe('1\n')
  })

  it('a review whose answer was lost is posted once', async () => {
    const repository = await here.repository()
    here.standIn.faults.lose(reviewRoute)
    const task = await here.done(repository, {
      merge: 'review',
      reviewCommand: `echo "it reviews"; ${approves}`,
    })
    expect(task).toMatchObject({ outcome: 'merged', evidence: { pullRequest: { reviews: 1 } } })
    expect(repository.pull(1).reviews).toHaveLength(1)
    expect((await outputOf(here.database, task.id)).split('it reviews')).toHaveLength(2)
  })

  it('on a base that wants a person’s approval it waits for that, and merges then', async () => {
    const repository = await here.repository()
    repository.protection.set('main', { checks: [], approvals: 1, push: 'allowed' })
    const task = await here.submit(repository, { merge: 'review', reviewCommand: approves })
    await until(async () =>
      (await here.server.task(task.id)).reason?.includes('approving') === true ? true : null,
    )
    const sha = (await branchSha(repository.path, task.branch)) ?? ''
    repository
      .pull(1)
      .reviews.push({ id: 9, user: 'reviewer', state: 'APPROVED', body: '', sha, comments: [] })
    expect(await here.server.untilDone(task.id)).toMatchObject({
      outcome: 'merged',
      evidence: { pullRequest: { reviews: 1 } },
    })
  })

  it('on a plain remote a review counts as well', async () => {
    const repository = await here.repository()
    const submitted = await here.server.submit({
      repo: repository.path,
      prompt: 'Write one',
      command: mends,
      merge: 'review',
      reviewCommand: wantsTested,
    })
    const task = await here.server.untilDone(submitted.id)
    expect(task).toMatchObject({
      outcome: 'merged',
      evidence: { pullRequest: null, review: { verdict: 'approve' } },
    })
    expect(await showFile(repository.path, 'main', 'one.txt')).toBe('1\ntested\n')
    expect(await branchSha(repository.path, 'main')).toBe(task.evidence?.mergedSha)
  })

  it('who cannot review is told at the door', async () => {
    const repository = await here.repository()
    for (const [body, field] of [
      [{ merge: 'review' }, 'merge'],
      [{ reviewer: 'command' }, 'reviewCommand'],
      [{ reviewer: 'claude', reviewCommand: 'true' }, 'reviewCommand'],
    ] as const) {
      const response = await here.server.request('POST', '/api/v1/tasks', {
        repo: here.urlOf(repository),
        prompt: 'x',
        command: 'true',
        ...body,
      })
      expect(response.status).toBe(422)
      expect(JSON.stringify(await response.json())).toContain(`"field":"${field}"`)
    }
  })
})
