import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { remoteFailure } from '../../src/git/remote-fault.ts'
import { RemoteFailure, type Publisher, type RemoteFault } from '../../src/ports/publisher.ts'
import { startGitServer, type GitServer } from '../support/git-server.ts'
import {
  commitTo,
  git,
  makeCheckout,
  makeEmptyRepository,
  makeRepository,
  runGit,
} from '../support/repositories.ts'
import { makeWorkplace, rejection, type Workplace } from './workplace.ts'

let place: Workplace
let publisher: Publisher
let server: GitServer
beforeEach(async () => {
  place = await makeWorkplace()
  publisher = await place.open({ limits: { askMs: 20_000 } })
  server = await startGitServer({ root: place.root })
})
afterEach(async () => {
  await server.close()
  await place.close()
})

async function faultOf(promise: Promise<unknown>): Promise<RemoteFault> {
  const error = await rejection(promise)
  if (!(error instanceof RemoteFailure)) throw error
  expect(error.message).toContain(error.repo)
  return error.fault
}

test('it asks for the default branch and for named branches, by path, file and http', async () => {
  const made = await makeRepository(join(place.root, 'one.git'), { branch: 'trunk' })
  const side = await commitTo(made.path, 'side/a', { x: '1' })
  for (const repo of [made.path, `file://${made.path}`, `${server.url}/one.git`]) {
    expect(await publisher.resolve(repo, null)).toEqual({ branch: 'trunk', sha: made.sha })
    expect(await publisher.resolve(repo, 'side/a')).toEqual({ branch: 'side/a', sha: side })
    expect(await publisher.branchAt(repo, 'side/a')).toBe(side)
    expect(await publisher.branchAt(repo, 'side')).toBeNull()
    expect(await faultOf(publisher.resolve(repo, 'none'))).toBe('branch_not_found')
    await commitTo(made.path, 'side/a', { x: String(Math.random()) })
    expect(await publisher.branchAt(repo, 'side/a')).not.toBe(side)
    await git(made.path, ['update-ref', 'refs/heads/side/a', side])
  }
})

test('an http remote is asked by one request, and by git where it has too many refs or does not answer that', async () => {
  const made = await makeRepository(join(place.root, 'one.git'))
  const repo = `${server.url}/one.git`
  const asked = async () => {
    const before = server.requests.length
    expect(await publisher.resolve(repo, null)).toEqual({ branch: 'main', sha: made.sha })
    expect(await publisher.branchAt(repo, 'main')).toBe(made.sha)
    return server.requests.length - before
  }
  expect(await asked()).toBe(2)
  const many = Array.from({ length: 5000 }, (_, number) => `create refs/heads/many/${number} ${made.sha}\n`)
  await runGit(made.path, ['update-ref', '--stdin'], many.join(''))
  await git(made.path, ['pack-refs', '--all'])
  // The first finds out; git then asks for what the server can and for the one ref.
  expect(await asked()).toBe(1 + 2 * 2)
  expect(await asked()).toBe(2 * 2)
})

test('a branch whose name ends like the one asked for is not taken for it', async () => {
  const made = await makeRepository(join(place.root, 'one.git'))
  await commitTo(made.path, 'x/refs/heads/a', { x: '1' })
  await git(made.path, ['update-ref', 'refs/heads/HEAD2', made.sha])
  await git(made.path, ['tag', 'a'])
  expect(await publisher.branchAt(made.path, 'a')).toBeNull()
  expect(await faultOf(publisher.resolve(made.path, 'a'))).toBe('branch_not_found')
  expect(String(await rejection(publisher.branchAt(made.path, 'a*')))).toContain('not a branch name')
  expect(String(await rejection(publisher.branchAt(made.path, '--exec=x')))).toContain('not a branch name')
})

test('an empty repository, a missing default branch and a HEAD on no branch are told apart', async () => {
  const empty = await makeEmptyRepository(join(place.root, 'empty.git'))
  for (const repo of [empty, `${server.url}/empty.git`]) {
    expect(await faultOf(publisher.resolve(repo, null))).toBe('repository_empty')
    expect(await faultOf(publisher.resolve(repo, 'main'))).toBe('repository_empty')
    expect(await publisher.branchAt(repo, 'main')).toBeNull()
  }
  const made = await makeRepository(join(place.root, 'one.git'))
  await git(made.path, ['symbolic-ref', 'HEAD', 'refs/heads/gone'])
  const gone = (await rejection(publisher.resolve(made.path, null))) as RemoteFailure
  expect([gone.fault, gone.message]).toEqual(['branch_not_found', expect.stringContaining('default branch')])
  const checkout = await makeCheckout(made.path, join(place.root, 'checkout'))
  await git(checkout, ['checkout', '--quiet', '--detach', 'origin/main'])
  await git(checkout, ['update-ref', 'refs/heads/main', made.sha])
  const detached = (await rejection(publisher.resolve(checkout, null))) as RemoteFailure
  expect([detached.fault, detached.message]).toEqual(['branch_not_found', expect.stringContaining('HEAD')])
})

describe('what is wrong with a remote is told by kind', () => {
  test('paths: missing, no folder, no repository', async () => {
    await mkdir(join(place.root, 'plain'))
    await writeFile(join(place.root, 'file'), 'x')
    for (const name of ['missing', 'plain', 'file']) {
      expect([name, await faultOf(publisher.resolve(join(place.root, name), null))]).toEqual([
        name,
        'repository_not_found',
      ])
    }
  })

  test.each([
    [404, 'repository_not_found'],
    [410, 'repository_not_found'],
    [403, 'credentials_refused'],
    [401, 'credentials_refused'],
    [500, 'unreachable'],
    [502, 'unreachable'],
    [503, 'unreachable'],
    [429, 'unreachable'],
    // Git takes a web page for a repository without refs.
    [200, 'repository_empty'],
  ] as const)('http status %d is %s', async (status, fault) => {
    server.faults.status = status
    expect(await faultOf(publisher.resolve(`${server.url}/one.git`, null))).toBe(fault)
  })

  test('a repository that the server does not have', async () => {
    expect(await faultOf(publisher.resolve(`${server.url}/none.git`, null))).toBe('repository_not_found')
  })

  test('a name that no one knows, and a port where nobody listens', async () => {
    expect(await faultOf(publisher.resolve('https://nothing.invalid/a', null))).toBe('host_unknown')
    expect(await faultOf(publisher.resolve('ssh://nothing.invalid/a', null))).toBe('host_unknown')
    await server.close()
    expect(await faultOf(publisher.resolve(`${server.url}/one.git`, null))).toBe('unreachable')
    expect(await faultOf(publisher.resolve(`ssh://127.0.0.1:${server.port}/a`, null))).toBe('unreachable')
    expect(await faultOf(publisher.resolve(`git://127.0.0.1:${server.port}/a`, null))).toBe('unreachable')
    server = await startGitServer({ root: place.root })
  })

  test('a server that never answers', async () => {
    const hasty = await place.open({ limits: { askMs: 500 } })
    server.faults.hang = true
    expect(await faultOf(hasty.resolve(`${server.url}/one.git`, null))).toBe('unreachable')
  })

  test('a server that hangs up, or talks nonsense, in the clear and where TLS or ssh is meant', async () => {
    for (const answer of [null, 'nonsense\r\n\r\n'.repeat(20)]) {
      const rude = await rudeServer(answer)
      for (const scheme of ['http', 'https', 'ssh', 'git']) {
        const fault = await faultOf(publisher.resolve(`${scheme}://127.0.0.1:${rude.port}/a`, null))
        expect([scheme, answer, fault]).toEqual([scheme, answer, 'unreachable'])
      }
      await rude.close()
    }
  })

  test.each([
    ["fatal: unable to access 'x': server certificate verification failed. CAfile: none", 'unreachable'],
    ["fatal: unable to access 'x': SSL certificate problem: self-signed certificate", 'unreachable'],
    ['Host key verification failed.\r\nfatal: Could not read from remote repository.', 'credentials_refused'],
    [
      'git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.',
      'credentials_refused',
    ],
    ['ssh: connect to host h port 22: Connection timed out\nfatal: Could not read', 'unreachable'],
    ['ssh: Could not resolve hostname h: Name or service not known', 'host_unknown'],
    ['ERROR: Repository not found.\nfatal: Could not read from remote repository.', 'repository_not_found'],
    ["fatal: detected dubious ownership in repository at '/x'", 'repository_not_found'],
    ["remote: Not Found\nfatal: repository 'https://h/a/' not found", 'repository_not_found'],
    ["fatal: Authentication failed for 'https://h/a/'", 'credentials_refused'],
    ["fatal: could not read Username for 'https://h': terminal prompts disabled", 'credentials_refused'],
    ['fatal: something that git never said before', null],
  ] as const)('%j is %s', (stderr, fault) => {
    const ended = { exitCode: 128, stdout: Buffer.alloc(0), stderr, ended: 'exited' as const }
    expect(remoteFailure(ended, 'repo')?.fault ?? null).toBe(fault)
  })
})

test('nothing that the person has configured for git, or that a repository asks for, is run or followed', async () => {
  const made = await makeRepository(join(place.root, 'one.git'))
  const marker = join(place.root, 'ran')
  const script = join(place.root, 'script')
  await writeFile(script, `#!/bin/sh\necho ran > ${marker}\nexec "$@"\n`)
  await chmod(script, 0o755)
  for (const [key, value] of [
    ['uploadpack.packObjectsHook', script],
    ['core.fsmonitor', script],
    ['core.alternateRefsCommand', script],
    ['core.sshCommand', script],
    ['core.gitProxy', script],
    ['credential.helper', `!${script}`],
  ] as const) {
    await git(made.path, ['config', key, value])
  }
  const { sha } = await publisher.resolve(made.path, null)
  await publisher.mirror(made.path, sha, 'main')
  expect(await rm(marker).catch((error: NodeJS.ErrnoException) => error.code)).toBe('ENOENT')
})

async function rudeServer(answer: string | null): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const rude: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    if (answer === null) socket.destroy()
    else socket.end(answer)
  })
  await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve))
  const address = rude.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => rude.close(resolve))
    },
  }
}
