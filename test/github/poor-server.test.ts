import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, it } from 'vitest'
import { branchSha, git } from '../support/repositories.ts'
import { readPullRequest } from '../../src/github/answers.ts'
import { githubPlace, proposal } from './place.ts'

const one = '/repos/{owner}/{repo}'
const runsRoute = `GET ${one}/commits/{ref}/check-runs`
const statusRoute = `GET ${one}/commits/{ref}/status`
const mergeRoute = `PUT ${one}/pulls/{pull_number}/merge`

describe('a server that has less than GitHub, or gives less to this token', () => {
  const place = githubPlace()
  const servers: Server[] = []
  afterAll(() => {
    for (const server of servers) server.close()
  })

  it('a pull request is read with the least that says what it is', () => {
    const least = {
      number: 7,
      html_url: 'https://github.example.org/team/project/pull/7',
      state: 'closed',
      head: { ref: 'work', sha: 'a'.repeat(40) },
      base: { ref: 'main', sha: null },
    }
    const read = {
      number: 7,
      state: 'closed',
      draft: false,
      author: '',
      body: '',
      mergeable: null,
      blocked: false,
    }
    expect(readPullRequest(least)).toMatchObject(read)
    expect(readPullRequest({ ...least, merged: true, merge_commit_sha: 'b' })).toMatchObject({
      state: 'merged',
      mergedSha: 'b',
    })
  })

  it.each([404, 501])('%d for check runs, or for statuses: there are none of that kind', async (status) => {
    const { repository, forge, pull } = await place.proposed()
    const { sha } = pull.head
    repository.checkRuns.push({ sha, name: 'build', status: 'completed', conclusion: 'success' })
    repository.statuses.push({ sha, context: 'deploy', state: 'pending' })
    place.standIn.faults.refuse(runsRoute, { status, message: 'Not Found' })
    expect(await forge.checks(sha)).toEqual({ pending: ['deploy'], failed: [], passed: [] })
    place.standIn.faults.refuse(statusRoute, { status, message: 'Not Found' })
    expect(await forge.checks(sha)).toEqual({ pending: [], failed: [], passed: ['build'] })
  })

  it('checks that this token may not see are not taken for none', async () => {
    const { forge, pull } = await place.proposed()
    const message = 'Resource not accessible by personal access token'
    place.standIn.faults.refuse(runsRoute, { status: 403, message })
    await expect(forge.checks(pull.head.sha)).rejects.toMatchObject({ fault: 'forbidden', message })
  })

  it('a commit that it does not see yet is waited for', async () => {
    const { forge, pull } = await place.proposed()
    place.standIn.faults.refuse(runsRoute, {
      status: 422,
      message: `No commit found for SHA: ${'0'.repeat(40)}`,
    })
    await expect(forge.checks(pull.head.sha)).rejects.toMatchObject({ fault: 'unreachable' })
  })

  it('a merge that it hides from this token is refused', async () => {
    const { forge, pull } = await place.proposed()
    place.standIn.faults.refuse(mergeRoute, { status: 404, message: 'Not Found' })
    const merged = await forge.merge(pull.number, { sha: pull.head.sha, method: 'merge' })
    expect(merged).toEqual({ kind: 'refused', message: 'Not Found' })
  })

  it('GraphQL is asked only where there is something to resolve, and missed by nobody', async () => {
    const { forge, pull } = await place.proposed()
    const before = place.standIn.count('POST /graphql')
    expect(await forge.resolveThreads(pull.number, [])).toBe(true)
    expect(place.standIn.count('POST /graphql')).toBe(before)
    for (const status of [404, 403, 405, 501]) {
      place.standIn.faults.refuse('POST /graphql', { status, message: 'No' })
      expect(await forge.resolveThreads(pull.number, [1])).toBe(false)
    }
  })

  it('lists are read to their last page, as far as the server says that there is one', async () => {
    const asked: string[] = []
    const review = { user: { login: 'bot' }, body: '', state: 'COMMENTED', commit_id: null }
    const pages = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://here')
      const page = Number(searchParams.get('page') ?? 1)
      asked.push(`${pathname.split('/').at(-1)} ${page}`)
      response.setHeader('content-type', 'application/json')
      if (!pathname.endsWith('/reviews')) return void response.end('{"check_runs": [], "statuses": []}')
      const next = `<http://${request.headers.host}${pathname}?page=${page + 1}>; rel="next"`
      if (page < 3) response.setHeader('link', next)
      response.end(JSON.stringify([{ ...review, id: page }]))
    })
    servers.push(pages)
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve))
    const apiUrl = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`
    const forge = place.open({ serverUrl: 'https://github.com', apiUrl }).repository('https://github.com/a/b')
    expect((await forge?.reviews(1))?.map(({ id }) => id)).toEqual([1, 2, 3])
    expect(await forge?.checks('a'.repeat(40))).toEqual({ pending: [], failed: [], passed: [] })
    expect(asked).toEqual(['reviews 1', 'reviews 2', 'reviews 3', 'check-runs 1', 'status 1'])
  })

  it.each([301, 302, 307, 308])(
    'a repository that was renamed: %d leads every call to its new name, bodies and all',
    async (status) => {
      const { repository, pull } = await place.proposed()
      const { apiUrl, url } = place.standIn
      const old = createServer((request, response) => {
        const path =
          request.url?.replace('/old/', `/${repository.name}/`).replace(/old$/, repository.name) ?? ''
        const location = request.url === path ? '' : path
        if (location !== '') return void response.writeHead(status, { location }).end('{"message": "Moved"}')
        const chunks: Buffer[] = []
        request.on('data', (chunk: Buffer) => chunks.push(chunk))
        request.on('end', () => {
          void fetch(`${apiUrl}${path}`, {
            method: request.method ?? 'GET',
            headers: { authorization: request.headers.authorization ?? '' },
            ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
          }).then(async (answer) => {
            response.writeHead(answer.status, { 'content-type': 'application/json' })
            response.end(await answer.text())
          })
        })
      })
      servers.push(old)
      await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve))
      const moved = `http://127.0.0.1:${(old.address() as AddressInfo).port}`
      const forge = place.open({ apiUrl: moved }).repository(`${url}/team/old.git`)
      if (forge === null) throw new Error('not on this server')
      expect((await forge.facts()).defaultBranch).toBe('main')
      await forge.comment(pull.number, 'Said once')
      expect(repository.pull(pull.number).comments).toEqual([{ user: 'bot', body: 'Said once' }])
      await git(repository.path, ['branch', 'more', 'work'])
      expect(await forge.createPullRequest(proposal('more'))).toMatchObject({ kind: 'created' })
      const merged = await forge.merge(pull.number, { sha: pull.head.sha, method: 'merge' })
      expect(merged.kind).toBe('merged')
      expect(await forge.deleteBranch('work')).toBe(true)
      expect(await branchSha(repository.path, 'work')).toBeNull()
    },
  )
})
