import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Publisher, PushAnswer, Work } from '../../src/ports/publisher.ts'
import { startGitServer, type GitServer } from '../support/git-server.ts'
import {
  branchSha,
  commitTo,
  git,
  listBranches,
  makeCheckout,
  makeRepository,
  runGit,
  showFile,
  type MadeRepository,
} from '../support/repositories.ts'
import { bundleOf, incoming, makeWorkplace, rejection, type Workplace } from './workplace.ts'

let place: Workplace
let publisher: Publisher
let server: GitServer
let made: MadeRepository
let checkout: string
beforeEach(async () => {
  place = await makeWorkplace()
  publisher = await place.open()
  server = await startGitServer({ root: place.root })
  made = await makeRepository(join(place.root, 'one.git'))
  checkout = await makeCheckout(made.path, join(place.root, 'checkout'))
})
afterEach(async () => {
  await server.close()
  await place.close()
})

/** Work of a task that leaves its own name in a file. */
async function workOf(repo: string, taskId = 'T1'): Promise<Work> {
  await git(checkout, ['checkout', '--quiet', '--detach', made.sha])
  await writeFile(join(checkout, 'by'), `${taskId}\n`)
  await git(checkout, ['add', '.'])
  await git(checkout, ['commit', '--quiet', '-m', taskId])
  return publisher.receive(await incoming(repo, made.sha, checkout, { taskId }))
}

const doors = () => [made.path, `file://${made.path}`, `${server.url}/one.git`]

test('a push makes the branch, and it alone; done again it is still true', async () => {
  for (const [index, repo] of doors().entries()) {
    const work = await workOf(repo, `T${index}`)
    const target = { branch: `nightshift/${index}`, expected: null }
    await git(made.path, ['tag', '--force', 'v1'])
    expect(await publisher.push(work, target)).toEqual({ kind: 'pushed' })
    expect(await branchSha(made.path, target.branch)).toBe(work.headSha)
    expect(await publisher.branchAt(repo, target.branch)).toBe(work.headSha)
    expect(await publisher.push(work, target)).toEqual({ kind: 'pushed' })
    expect(await publisher.push(work, { ...target, expected: work.headSha })).toEqual({ kind: 'pushed' })
  }
  expect(await listBranches(made.path)).toEqual(['main', 'nightshift/0', 'nightshift/1', 'nightshift/2'])
  expect(await branchSha(made.path, 'main')).toBe(made.sha)
})

test('a branch is replaced only from where it was said to be', async () => {
  for (const [index, repo] of doors().entries()) {
    const branch = `b${index}`
    const stranger = await commitTo(made.path, branch, { stranger: 'x' })
    const work = await workOf(repo)
    expect(await publisher.push(work, { branch, expected: null })).toEqual({ kind: 'stale' })
    expect(await publisher.push(work, { branch, expected: made.sha })).toEqual({ kind: 'stale' })
    expect(await publisher.push(work, { branch: `${branch}-gone`, expected: made.sha })).toEqual({
      kind: 'stale',
    })
    expect(await branchSha(made.path, branch)).toBe(stranger)
    expect(await publisher.push(work, { branch, expected: stranger })).toEqual({ kind: 'pushed' })
    expect(await branchSha(made.path, branch)).toBe(work.headSha)
  }
})

test('a branch that comes or moves while the push is on its way is not overwritten', async () => {
  const repo = `${server.url}/one.git`
  const work = await workOf(repo)
  let stranger = ''
  server.faults.beforePush = async () => {
    stranger = await commitTo(made.path, 'race', { stranger: stranger === '' ? '1' : '2' })
  }
  expect(await publisher.push(work, { branch: 'race', expected: null })).toEqual({ kind: 'stale' })
  expect(await branchSha(made.path, 'race')).toBe(stranger)
  expect(await publisher.push(work, { branch: 'race', expected: stranger })).toEqual({ kind: 'stale' })
  expect(await branchSha(made.path, 'race')).toBe(stranger)
})

test('of many that push to one branch at once, exactly one wins, and none is told a lie', async () => {
  for (const repo of [made.path, `${server.url}/one.git`]) {
    const branch = repo === made.path ? 'by-path' : 'by-http'
    const works: Work[] = []
    for (let number = 0; number < 6; number += 1) works.push(await workOf(repo, `R${number}`))
    const answers = await Promise.all(works.map((work) => publisher.push(work, { branch, expected: null })))
    const winner = works[answers.findIndex(({ kind }) => kind === 'pushed')]
    expect(answers.filter(({ kind }) => kind === 'pushed')).toHaveLength(1)
    expect(answers.filter(({ kind }) => kind === 'refused')).toEqual([])
    expect(await branchSha(made.path, branch)).toBe(winner?.headSha)
  }
})

test('a base that moves does not matter to the push, and what was pushed is what was judged', async () => {
  const work = await workOf(made.path)
  await commitTo(made.path, 'main', { later: 'x' })
  expect(await publisher.push(work, { branch: 'out', expected: null })).toEqual({ kind: 'pushed' })
  expect((await git(made.path, ['merge-base', 'main', 'out'])).trim()).toBe(made.sha)
  expect(await showFile(made.path, 'out', 'by')).toBe('T1\n')
})

function refused(answer: PushAnswer, words: RegExp): void {
  expect(answer).toEqual({ kind: 'refused', message: expect.stringMatching(words) as string })
}

describe('a refusal is told in the words of the remote', () => {
  test('a hook, as on a protected branch, over http', async () => {
    for (const name of ['pre-receive', 'update']) {
      const hook = join(made.path, 'hooks', name)
      await writeFile(hook, '#!/bin/sh\necho "error: GH006: Protected branch update failed" >&2\nexit 1\n')
      await chmod(hook, 0o755)
      const work = await workOf(`${server.url}/one.git`)
      refused(await publisher.push(work, { branch: 'out', expected: null }), /hook declined.*GH006/)
      await writeFile(hook, '#!/bin/sh\nexit 0\n')
    }
  })

  test('a name that stands in the way of another', async () => {
    await commitTo(made.path, 'out', { x: '1' })
    for (const repo of doors()) {
      const work = await workOf(repo)
      refused(await publisher.push(work, { branch: 'out/deep', expected: null }), /cannot create|exists/)
    }
  })

  test('a branch that is checked out in a repository with a work tree', async () => {
    const target = await makeCheckout(made.path, join(place.root, 'target'))
    for (const setting of [null, 'updateInstead', 'ignore']) {
      if (setting !== null) await git(target, ['config', 'receive.denyCurrentBranch', setting])
      const work = await workOf(target)
      refused(await publisher.push(work, { branch: 'main', expected: made.sha }), /checked out/)
      expect(await publisher.push(work, { branch: `free-${setting}`, expected: null })).toEqual({
        kind: 'pushed',
      })
    }
    expect(await git(target, ['status', '--porcelain'])).toBe('')
  })

  test('no right to write, and a repository that is gone', async () => {
    const work = await workOf(`${server.url}/one.git`)
    server.faults.status = 403
    refused(await publisher.push(work, { branch: 'out', expected: null }), /credentials/)
    server.faults.status = 404
    refused(await publisher.push(work, { branch: 'out', expected: null }), /no repository/)
  })

  test.skipIf(process.getuid?.() === 0)(
    'a folder that cannot be written (skipped for root, who can)',
    async () => {
      const work = await workOf(made.path)
      await chmod(join(made.path, 'objects'), 0o555)
      const answer = await publisher.push(work, { branch: 'out', expected: null })
      await chmod(join(made.path, 'objects'), 0o755)
      refused(answer, /unable to create|Permission denied/)
    },
  )
})

describe('an answer that does not tell is unknown, and the remote can be asked', () => {
  test('a push that was taken, and one that was not, look the same', async () => {
    const repo = `${server.url}/one.git`
    const work = await workOf(repo)
    server.faults.losePushAnswer = true
    expect((await publisher.push(work, { branch: 'out', expected: null })).kind).toBe('unknown')
    expect(await publisher.branchAt(repo, 'out')).toBe(work.headSha)
    server.faults.losePushAnswer = false
    server.faults.cutPush = true
    expect((await publisher.push(work, { branch: 'out2', expected: null })).kind).toBe('unknown')
    expect(await publisher.branchAt(repo, 'out2')).toBeNull()
    server.faults.cutPush = false
    expect(await publisher.push(work, { branch: 'out', expected: null })).toEqual({ kind: 'pushed' })
  })

  test('a server that is down, broken or silent', async () => {
    const repo = `${server.url}/one.git`
    const work = await workOf(repo)
    server.faults.status = 500
    expect((await publisher.push(work, { branch: 'out', expected: null })).kind).toBe('unknown')
    server.faults.status = null
    await server.close()
    expect((await publisher.push(work, { branch: 'out', expected: null })).kind).toBe('unknown')
    server = await startGitServer({ root: place.root, port: server.port })
    expect(await publisher.push(work, { branch: 'out', expected: null })).toEqual({ kind: 'pushed' })
  })

  test('a push that takes too long', async () => {
    const hasty = await place.open({ limits: { pushMs: 700 } })
    const repo = `${server.url}/one.git`
    await workOf(repo)
    const work = await hasty.receive(await incoming(repo, made.sha, checkout))
    const held = Promise.withResolvers<void>()
    server.faults.beforePush = () => held.promise
    expect(await hasty.push(work, { branch: 'out', expected: null })).toMatchObject({ kind: 'unknown' })
    held.resolve()
  })

  test('a lock that someone else holds there', async () => {
    await mkdir(join(made.path, 'refs', 'heads', 'nightshift'), { recursive: true })
    await writeFile(join(made.path, 'refs', 'heads', 'nightshift', 'x.lock'), '')
    const work = await workOf(made.path)
    expect((await publisher.push(work, { branch: 'nightshift/x', expected: null })).kind).toBe('unknown')
  })
})

test('a push to a path runs nothing that the other repository has set up', async () => {
  const marker = join(place.root, 'ran')
  const script = join(place.root, 'script')
  await writeFile(script, `#!/bin/sh\necho "$0" >> ${marker}\n`)
  await chmod(script, 0o755)
  const target = await makeCheckout(made.path, join(place.root, 'target'))
  for (const gitDir of [made.path, join(target, '.git')]) {
    for (const hook of [
      'pre-receive',
      'update',
      'post-receive',
      'post-update',
      'reference-transaction',
      'proc-receive',
      'push-to-checkout',
      'post-checkout',
      'pre-push',
      'pre-auto-gc',
    ]) {
      await writeFile(join(gitDir, 'hooks', hook), `#!/bin/sh\necho ${hook} >> ${marker}\n`, { mode: 0o755 })
    }
    for (const [key, value] of [
      ['core.hooksPath', join(gitDir, 'hooks')],
      ['core.fsmonitor', script],
      ['core.alternateRefsCommand', script],
      ['receive.denyCurrentBranch', 'updateInstead'],
      ['receive.procReceiveRefs', 'refs/heads/proc'],
      ['gc.auto', '1'],
      ['filter.evil.smudge', script],
    ] as const) {
      await git(gitDir, ['config', key, value])
    }
    await writeFile(join(gitDir, 'objects', 'info', 'alternates'), `${join(made.path, 'objects')}\n`)
  }
  await writeFile(join(made.path, 'objects', 'info', 'alternates'), `${join(target, '.git', 'objects')}\n`)
  for (const repo of [made.path, `file://${made.path}`, target]) {
    const work = await workOf(repo)
    await publisher.push(work, { branch: `out-${repo.length}`, expected: null })
    await publisher.push(work, { branch: 'main', expected: made.sha })
  }
  expect(await readdir(place.root)).not.toContain('ran')
  // The traps are real: an ordinary push springs them.
  await runGit(made.path, ['push', '--quiet', '.', 'main:refs/heads/shows'])
  expect(await readFile(marker, 'utf8')).toContain('pre-receive')
})

test('only work that was received, and only to a branch by its name', async () => {
  const work = await workOf(made.path)
  const forged = { ...work }
  expect(String(await rejection(publisher.push(forged, { branch: 'out', expected: null })))).toContain(
    'received',
  )
  for (const branch of ['--all', 'refs/heads/x', 'a:b', 'a*', 'a..b', '', 'HEAD']) {
    expect(String(await rejection(publisher.push(work, { branch, expected: null })))).toContain('branch name')
  }
})

test('when our process is killed in the middle of a push, its git dies with it', async () => {
  const repo = `${server.url}/one.git`
  await workOf(repo)
  const bundle = join(place.root, 'bundle')
  await writeFile(bundle, await bundleOf(checkout, made.sha))
  const underWay = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  server.faults.beforePush = () => {
    underWay.resolve()
    return held.promise
  }
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'push-child.ts'), place.home, repo, made.sha, bundle],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const ended = once(child, 'exit')
  await underWay.promise
  expect(await gitProcesses(place.home)).not.toEqual([])
  child.kill('SIGKILL')
  await ended
  await expect.poll(() => gitProcesses(place.home), { timeout: 20_000 }).toEqual([])
  held.resolve()
})

/** The command lines of all processes that speak of this folder. */
async function gitProcesses(folder: string): Promise<string[]> {
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
    const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')
    if (environment.includes(folder) && command !== '') found.push(command.replaceAll('\0', ' '))
  }
  return found
}
