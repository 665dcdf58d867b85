import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/process/system-clock.ts'
import { githubPlace, proposal } from './place.ts'
import { commitTo } from '../support/repositories.ts'

const createRoute = 'POST /repos/{owner}/{repo}/pulls'
const readRoute = 'GET /repos/{owner}/{repo}/pulls/{pull_number}'
const listRoute = 'GET /repos/{owner}/{repo}/pulls'

/** The system's clock, and what it was asked to wait. */
function recordingClock() {
  const waits: number[] = []
  let ahead = 0
  return {
    waits,
    pass: (ms: number) => (ahead += ms),
    clock: {
      monotonicMs: () => systemClock.monotonicMs() + ahead,
      sleep: (ms: number) => {
        waits.push(ms)
        ahead += ms
        return Promise.resolve()
      },
    },
  }
}

describe('the connection to GitHub', () => {
  const place = githubPlace()
  const servers: Server[] = []
  afterAll(() => {
    for (const server of servers) server.close()
  })

  it('finds what it proposed, its head, its base and its state', async () => {
    const { repository, forge, pull } = await place.proposed()
    const [found] = await forge.pullRequestsFrom('work')
    expect(found).toMatchObject({ number: pull.number, state: 'open', author: 'bot', mergedSha: null })
    expect(found?.head.branch).toBe('work')
    // GitHub says null while it computes, then what it found.
    expect((await forge.pullRequest(pull.number)).mergeable).toBe(null)
    expect((await forge.pullRequest(pull.number)).mergeable).toBe(true)
    const merged = await forge.merge(pull.number, { sha: pull.head.sha, method: 'squash' })
    expect(merged).toEqual({ kind: 'merged', sha: repository.pull(1).mergedSha })
    expect(await forge.pullRequest(pull.number)).toMatchObject({
      state: 'merged',
      mergedSha: repository.pull(1).mergedSha,
    })
  })

  it('tells checks apart: pending, failed and passed, of apps and of statuses', async () => {
    const { repository, forge, pull } = await place.proposed()
    const { sha } = pull.head
    expect(await forge.checks(sha)).toEqual({ pending: [], failed: [], passed: [] })
    repository.checkRuns.push(
      { sha, name: 'build', status: 'in_progress', conclusion: null },
      { sha, name: 'lint', status: 'completed', conclusion: 'neutral' },
      { sha, name: 'test', status: 'completed', conclusion: 'timed_out' },
    )
    repository.statuses.push(
      { sha, context: 'coverage', state: 'pending' },
      { sha, context: 'deploy', state: 'error' },
    )
    expect(await forge.checks(sha)).toEqual({
      pending: ['build', 'coverage'],
      failed: ['test (timed_out)', 'deploy (error)'],
      passed: ['lint'],
    })
  })

  it('an answer that was lost is told as such, though the change was made', async () => {
    const { repository, forge } = await place.proposed()
    await commitTo(repository.path, 'other', { 'b.txt': 'b\n' })
    place.standIn.faults.lose(createRoute)
    await expect(forge.createPullRequest(proposal('other'))).rejects.toMatchObject({ fault: 'unreachable' })
    expect(await forge.pullRequestsFrom('other')).toHaveLength(1)
    expect(repository.pulls).toHaveLength(2)
  })

  it('never repeats a call by itself', async () => {
    const { forge } = await place.proposed()
    const before = place.standIn.count(readRoute)
    place.standIn.faults.refuse(readRoute, { status: 502, message: 'Server Error' }, 5)
    await expect(forge.pullRequest(1)).rejects.toMatchObject({ fault: 'unreachable' })
    place.standIn.faults.take(readRoute, ['refuse'])
    expect(place.standIn.count(readRoute)).toBe(before)
    for (let left = 0; left < 3; left += 1) place.standIn.faults.take(readRoute, ['refuse'])
  })

  it.each([
    [
      'the secondary limit, with retry-after',
      403,
      'You have exceeded a secondary rate limit.',
      { 'retry-after': '7' },
      7000,
    ],
    ['the secondary limit, without it', 403, 'You have exceeded a secondary rate limit.', {}, 60_000],
    ['429 without a word', 429, '', {}, 60_000],
    [
      'the primary limit: until it is reset, by the clock of GitHub',
      403,
      'API rate limit exceeded for user ID 1.',
      {
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(Date.parse('2030-01-01T00:00:30Z') / 1000),
        date: 'Tue, 01 Jan 2030 00:00:00 GMT',
      },
      31_000,
    ],
  ])('waits for %s', async (_, status, message, headers, waitMs) => {
    const { repository } = await place.proposed()
    const { clock, pass } = recordingClock()
    const forge = place.forgeOf(repository, place.open({ clock }))
    place.standIn.faults.refuse(listRoute, { status, message, headers })
    await expect(forge.pullRequestsFrom('work')).rejects.toMatchObject({
      fault: 'rate_limited',
      retryAfterMs: waitMs,
    })
    // Meanwhile nothing is sent at all, whatever the call.
    const before = place.standIn.calls.length
    await expect(forge.facts()).rejects.toMatchObject({ fault: 'rate_limited' })
    expect(place.standIn.calls).toHaveLength(before)
    pass(waitMs)
    expect(await forge.facts()).toMatchObject({ defaultBranch: 'main', archived: false })
  })

  it('waits longer each time that the limit without a time is hit again', async () => {
    const { repository } = await place.proposed()
    const { clock, pass } = recordingClock()
    const forge = place.forgeOf(repository, place.open({ clock }))
    const message = 'You have exceeded a secondary rate limit.'
    for (const waitMs of [60_000, 120_000, 240_000]) {
      place.standIn.faults.refuse(listRoute, { status: 403, message })
      await expect(forge.pullRequestsFrom('work')).rejects.toMatchObject({ retryAfterMs: waitMs })
      pass(waitMs)
    }
  })

  it('makes changes one at a time, a second apart', async () => {
    const { repository } = await place.proposed()
    const { clock, waits } = recordingClock()
    const forge = place.forgeOf(repository, place.open({ clock, changeEveryMs: 1000 }))
    await Promise.all([forge.comment(1, 'One'), forge.comment(1, 'Two'), forge.comment(1, 'Three')])
    expect(waits).toHaveLength(2)
    for (const wait of waits) expect(wait).toBeGreaterThan(500)
    expect(repository.pull(1).comments.map((comment) => comment.body)).toEqual(['One', 'Two', 'Three'])
  })

  it('sends the token to no other host, whatever a redirect says', async () => {
    const seen: string[] = []
    const elsewhere = createServer((request, response) => {
      seen.push(request.headers.authorization ?? '')
      response.end('{}')
    })
    servers.push(elsewhere)
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
    const there = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`
    const sending = createServer((request, response) => {
      const location = request.url?.includes('/old/') === true ? '/repos/new/name' : `${there}${request.url}`
      response.writeHead(request.url === '/repos/new/name' ? 200 : 301, {
        location,
        'content-type': 'application/json',
      })
      response.end(JSON.stringify({ default_branch: 'main', archived: false }))
    })
    servers.push(sending)
    await new Promise<void>((resolve) => sending.listen(0, '127.0.0.1', resolve))
    const apiUrl = `http://127.0.0.1:${(sending.address() as AddressInfo).port}`
    const github = place.open({ serverUrl: 'https://github.com', apiUrl })
    const moved = github.repository('https://github.com/team/project')
    await expect(moved?.facts()).rejects.toMatchObject({ fault: 'unreachable' })
    expect(seen).toEqual([])
    // Within the host, a repository that was renamed is found.
    const renamed = github.repository('https://github.com/old/name')
    expect(await renamed?.facts()).toMatchObject({ defaultBranch: 'main', archived: false })
  })

  it('says who it is, and what a classic token may do', async () => {
    expect(await place.open().identity()).toEqual({ login: 'bot', scopes: ['repo', 'workflow'] })
  })

  it.each([
    ['https://github.com/Team/Project', 'github.com/team/project'],
    ['https://github.com/team/project.git', 'github.com/team/project'],
    ['git@github.com:team/project.git', 'github.com/team/project'],
    ['ssh://git@github.com/team/project', 'github.com/team/project'],
    ['https://github.com.example.org/team/project', null],
    ['https://gitlab.com/team/project.git', null],
    ['http://github.com/team/project', null],
    ['https://github.com/only-one', null],
    ['/srv/team/project.git', null],
  ])('%s belongs to %s', (repo, slug) => {
    const github = place.open({ serverUrl: 'https://github.com' })
    expect(github.repository(repo)?.slug ?? null).toBe(slug)
  })
})
