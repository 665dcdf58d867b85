import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { startGitServer, type GitServer } from '../support/git-server.ts'
import { makePlace, startServer, until, type Place, type Server } from '../support/nightshift.ts'
import {
  branchSha,
  commitTo,
  git,
  listBranches,
  makeEmptyRepository,
  makeRepository,
  showFile,
} from '../support/repositories.ts'

describe('remotes as they really are', () => {
  let database: TestDatabase
  let place: Place
  let server: Server
  let remotes: GitServer
  const auth = { user: 'builder', password: 'correct-horse-battery' }

  beforeAll(async () => {
    database = await testDatabase()
    place = await makePlace(database.url)
    remotes = await startGitServer({ root: place.folder, auth })
    const credentials = join(place.folder, 'credentials')
    const host = `127.0.0.1:${remotes.port}`
    await writeFile(credentials, `http://${auth.user}:${auth.password}@${host}\n`, { mode: 0o600 })
    place = {
      ...place,
      environment: { ...place.environment, NIGHTSHIFT_GIT_CREDENTIALS: credentials, NIGHTSHIFT_SLOTS: '8' },
    }
    server = await startServer(place)
  })

  afterAll(async () => {
    await server.process.stop()
    await remotes.close()
    await place.remove()
    await database.close()
  })

  const file = (name: string) => join(place.folder, name)
  const work = { prompt: 'Work', command: 'echo 1 > one.txt' }

  async function outcomeOf(body: Readonly<Record<string, unknown>>) {
    return server.untilDone((await server.submit({ ...work, ...body })).id)
  }

  it('a smart http remote with Basic auth is cloned from and pushed to, and the password is nowhere', async () => {
    const remote = await makeRepository(file('http.git'))
    const task = await outcomeOf({
      repo: `${remotes.url}/http.git`,
      command: 'echo 1 > one.txt; env; cat .git/config; cat ~/.gitconfig',
    })
    expect(task).toMatchObject({ outcome: 'pushed', repo: `${remotes.url}/http.git` })
    expect(task.evidence?.headSha).toBe(await branchSha(remote.path, task.branch))
    const log = await (await server.request('GET', `/api/v1/tasks/${task.id}/log`)).text()
    expect(log).toContain('NIGHTSHIFT_PROMPT=Work')
    const rows = await database.query('select * from tasks join events on events.task_id = tasks.id')
    expect(JSON.stringify(rows) + log + server.process.stderr()).not.toContain(auth.password)
  })

  it('a pushed answer that gets lost is found again on the remote', async () => {
    const remote = await makeRepository(file('lost.git'))
    remotes.faults.losePushAnswer = true
    const task = await outcomeOf({ repo: `${remotes.url}/lost.git` })
    remotes.faults.losePushAnswer = false
    expect(task).toMatchObject({ outcome: 'pushed', attempt: 1 })
    expect(await listBranches(remote.path)).toEqual(['main', task.branch])
  })

  it('a remote that is down is tried again, and the task ends well once it is back', async () => {
    await makeRepository(file('down.git'))
    remotes.faults.status = 503
    const { id } = await server.submit({ ...work, repo: `${remotes.url}/down.git` })
    const held = await until(async () => {
      const task = await server.task(id)
      return task.state === 'held' ? task : null
    })
    expect(held.reason).toMatch(/could not be reached/)
    remotes.faults.status = null
    expect(await server.untilDone(id)).toMatchObject({ outcome: 'pushed' })
  })

  it('a time limit that runs out while the push does not get through leaves the push to be tried again', async () => {
    const remote = await makeRepository(file('cut.git'))
    remotes.faults.cutPush = true
    const { id } = await server.submit({ ...work, repo: `${remotes.url}/cut.git`, timeout: '3s' })
    const held = await until(async () => {
      const task = await server.task(id)
      return task.state === 'held' || task.state === 'done' ? task : null
    })
    remotes.faults.cutPush = false
    expect(held).toMatchObject({ state: 'held', outcome: null })
    const task = await server.untilDone(id)
    expect(task).toMatchObject({ outcome: 'pushed', attempt: 2 })
    expect(await branchSha(remote.path, task.branch)).toBe(task.evidence?.headSha)
  })

  it('the base moves while the agent works: the pinned base is what counts', async () => {
    const remote = await makeRepository(file('moving.git'))
    const { id } = await server.submit({ ...work, repo: remote.path, command: 'sleep 1; echo 1 > one.txt' })
    await until(async () => {
      const log = await (await server.request('GET', `/api/v1/tasks/${id}/events`)).json()
      return JSON.stringify(log).includes('is pinned at') ? true : null
    })
    const moved = await commitTo(remote.path, 'main', { 'other.txt': 'moved\n' })
    const task = await server.untilDone(id)
    expect(task).toMatchObject({ outcome: 'pushed', evidence: { baseSha: remote.sha, files: ['one.txt'] } })
    expect(await showFile(remote.path, task.branch, 'other.txt')).toBeNull()
    expect(await branchSha(remote.path, 'main')).toBe(moved)
  })

  it('a stranger’s branch of the same name is left alone: a clear error where the name was asked for', async () => {
    const remote = await makeRepository(file('stranger.git'))
    const theirs = await commitTo(remote.path, 'feature/one', { 'theirs.txt': 'theirs\n' })
    const task = await outcomeOf({ repo: remote.path, branch: 'feature/one' })
    expect(task).toMatchObject({ outcome: 'invalid' })
    expect(task.reason).toContain('feature/one')
    expect(await branchSha(remote.path, 'feature/one')).toBe(theirs)
  })

  it('a stranger’s branch at the name that we chose is left alone: another name is taken', async () => {
    const remote = await makeRepository(file('guessed.git'))
    const { id, branch } = await server.submit({
      ...work,
      repo: remote.path,
      command: 'sleep 1; echo 1 > one.txt',
    })
    const theirs = await commitTo(remote.path, branch, { 'theirs.txt': 'theirs\n' })
    const task = await server.untilDone(id)
    expect(task).toMatchObject({ outcome: 'pushed', branch: `${branch}-2` })
    expect(await branchSha(remote.path, branch)).toBe(theirs)
    expect(await branchSha(remote.path, task.branch)).toBe(task.evidence?.headSha)
  })

  it('a named branch that this task’s own retry finds there is replaced under a lease', async () => {
    const remote = await makeRepository(file('again.git'))
    const first = await outcomeOf({
      repo: remote.path,
      branch: 'feature/again',
      command: 'date +%N > one.txt',
    })
    expect(first.outcome).toBe('pushed')
    const answer = await server.request('POST', `/api/v1/tasks/${first.id}/retry`)
    expect(answer.status).toBe(202)
    const { id } = (await answer.json()) as { id: string }
    const second = await server.untilDone(id)
    expect(second).toMatchObject({ outcome: 'pushed', branch: 'feature/again', retryOf: first.id })
    expect(await branchSha(remote.path, 'feature/again')).toBe(second.evidence?.headSha)
    expect(second.evidence?.headSha).not.toBe(first.evidence?.headSha)
  })

  it('what only a person can mend ends invalid, with a reason that says what', async () => {
    const remote = await makeRepository(file('fine.git'))
    await makeEmptyRepository(file('empty.git'))
    const cases = [
      {
        body: { repo: remote.path, base: 'no-such-base' },
        reason: /base branch no-such-base does not exist/,
      },
      { body: { repo: file('empty.git') }, reason: /no commit to start from/ },
      { body: { repo: `${remotes.url}/absent.git` }, reason: /no repository/i },
    ]
    for (const { body, reason } of cases) {
      const task = await outcomeOf(body)
      expect(task).toMatchObject({ state: 'done', outcome: 'invalid' })
      expect(task.reason).toMatch(reason)
    }
  })

  it('refused credentials end invalid', async () => {
    await makeRepository(file('closed.git'))
    const strict = await startGitServer({
      root: place.folder,
      auth: { user: 'other', password: 'not-the-one-we-have' },
    })
    const task = await outcomeOf({ repo: `${strict.url}/closed.git` })
    await strict.close()
    expect(task).toMatchObject({ outcome: 'invalid' })
    expect(task.reason).toMatch(/credentials/)
  })

  it('a push that a hook of the remote declines ends invalid, in the remote’s words', async () => {
    const remote = await makeRepository(file('hooked.git'))
    await writeFile(
      join(remote.path, 'hooks', 'pre-receive'),
      '#!/bin/sh\necho "not on a Sunday"; exit 1\n',
      { mode: 0o755 },
    )
    const task = await outcomeOf({ repo: `${remotes.url}/hooked.git` })
    expect(task).toMatchObject({ outcome: 'invalid' })
    expect(task.reason).toMatch(/not on a Sunday|declined/)
    expect(await listBranches(remote.path)).toEqual(['main'])
  })

  it('a repository that vanished between submission and start ends invalid', async () => {
    const remote = await makeRepository(file('gone.git'))
    expect((await server.request('POST', '/api/v1/pause')).ok).toBe(true)
    const { id } = await server.submit({ ...work, repo: remote.path })
    expect(await server.task(id)).toMatchObject({ state: 'held' })
    await rm(remote.path, { recursive: true })
    expect((await server.request('POST', '/api/v1/resume')).ok).toBe(true)
    expect(await server.untilDone(id)).toMatchObject({ outcome: 'invalid' })
  })

  it('eight tasks side by side on one repository make eight branches, each with its own work alone', async () => {
    const remote = await makeRepository(file('eight.git'), { commits: 3 })
    const accepted = await Promise.all(
      [...'12345678'].map((number) =>
        server.submit({
          repo: remote.path,
          prompt: `Number ${number}`,
          command: `sleep 0.5; echo ${number} > n${number}.txt`,
        }),
      ),
    )
    const tasks = await Promise.all(accepted.map((task) => server.untilDone(task.id)))
    for (const [index, task] of tasks.entries()) {
      expect(task).toMatchObject({
        outcome: 'pushed',
        evidence: { files: [`n${index + 1}.txt`], baseSha: remote.sha },
      })
    }
    expect(await listBranches(remote.path)).toHaveLength(9)
    await git(remote.path, ['fsck', '--strict'])
  })
})
