import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createCredentials, type CredentialOptions } from '../../src/git/credentials.ts'
import { localPlace } from '../../src/git/git-place.ts'
import { createPublisher } from '../../src/git/publisher.ts'
import { RemoteFailure, type Publisher } from '../../src/ports/publisher.ts'
import { startGitServer, type GitServer } from '../support/git-server.ts'
import { branchSha, git, makeCheckout, makeRepository, type MadeRepository } from '../support/repositories.ts'
import { incoming, makeWorkplace, rejection, type Workplace } from './workplace.ts'
import { run } from '../../src/process/run.ts'

const password = 'p@ss/w:rd $(touch x) %41 "q"'
let place: Workplace
let server: GitServer
let made: MadeRepository
let file: string
beforeEach(async () => {
  place = await makeWorkplace()
  server = await startGitServer({ root: place.root, auth: { user: 'me', password } })
  made = await makeRepository(join(place.root, 'one.git'))
  file = join(place.root, 'credentials')
})
afterEach(async () => {
  await server.close()
  await place.close()
})

const credentials = (token: CredentialOptions['token'] = null) =>
  createCredentials({ file, token, log: place.log })

async function write(...lines: string[]): Promise<void> {
  await writeFile(file, `${lines.join('\n')}\n`)
  await chmod(file, 0o600)
}

async function opened(): Promise<Publisher> {
  return place.open({ credentialsFor: credentials() })
}

async function find(url: string): Promise<string | null> {
  return (await credentials()(url))?.username ?? null
}

const line = () => server.url.replace('http://', `http://me:${encodeURIComponent(password)}@`)

test('the server gets what the file says for it, for every way of asking', async () => {
  await write(line())
  const publisher = await opened()
  const repo = `${server.url}/one.git`
  const { sha } = await publisher.resolve(repo, null)
  await publisher.mirror(repo, sha, 'main')
  const checkout = await makeCheckout(made.path, join(place.root, 'checkout'))
  await git(checkout, ['commit', '--quiet', '--allow-empty', '-m', 'x'])
  const work = await publisher.receive(await incoming(repo, sha, checkout))
  expect(await publisher.push(work, { branch: 'out', expected: null })).toEqual({ kind: 'pushed' })
  expect(await branchSha(made.path, 'out')).toBe(work.headSha)
})

test('no secret is left in any file of the publisher, nor in a message', async () => {
  const repo = `${server.url}/one.git`
  await write(line().replace('me:', 'other:'))
  const publisher = await opened()
  const failure = (await rejection(publisher.resolve(repo, null))) as RemoteFailure
  expect(failure.fault).toBe('credentials_refused')
  await write(line())
  const { sha } = await publisher.resolve(repo, null)
  await publisher.mirror(repo, sha, 'main')
  const forms = [password, encodeURIComponent(password), Buffer.from(`me:${password}`).toString('base64')]
  for (const entry of await readdir(place.home, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const content = await readFile(join(entry.parentPath, entry.name), 'latin1')
    for (const form of forms) expect(content).not.toContain(form)
  }
  for (const form of forms) expect(failure.message + place.told.join()).not.toContain(form)
})

test('what a server or its hook says back is masked', async () => {
  await write(line())
  const publisher = await opened()
  const repo = `${server.url}/one.git`
  const checkout = await makeCheckout(made.path, join(place.root, 'checkout'))
  await git(checkout, ['commit', '--quiet', '--allow-empty', '-m', 'x'])
  const hook = join(made.path, 'hooks', 'pre-receive')
  await writeFile(
    hook,
    `#!/bin/sh\ncat >&2 <<'END'\n${password} ${encodeURIComponent(password)}\nEND\nexit 1\n`,
  )
  await chmod(hook, 0o755)
  const work = await publisher.receive(await incoming(repo, made.sha, checkout))
  const answer = await publisher.push(work, { branch: 'out', expected: null })
  expect(answer).toEqual({ kind: 'refused', message: expect.stringContaining('*** ***') as string })
})

test('without credentials, and with wrong ones, the failure says so and does not hang', async () => {
  const repo = `${server.url}/one.git`
  for (const lines of [[], [line().replace('me:', 'you:')]]) {
    await write(...lines)
    const failure = (await rejection((await opened()).resolve(repo, null))) as RemoteFailure
    expect(failure.fault).toBe('credentials_refused')
    expect(failure.message).not.toContain(password)
  }
})

test('a redirect is not followed, and no other server gets the credentials', async () => {
  await write(line())
  const thief = await startGitServer({ root: place.root, auth: { user: 'me', password } })
  server.faults.redirectTo = thief.url
  const failure = (await rejection((await opened()).resolve(`${server.url}/one.git`, null))) as RemoteFailure
  expect([failure.fault, failure.message]).toEqual([
    'repository_not_found',
    expect.stringContaining('new address') as string,
  ])
  expect(thief.requests).toEqual([])
  await thief.close()
})

test('a proxy that asks for a password does not get the one of the server', async () => {
  await write(line())
  const proxy = await startGitServer({ root: place.root })
  proxy.faults.status = 407
  for (const address of [proxy.url.replace('http://', 'http://user@'), proxy.url]) {
    const publisher = await createPublisher({
      place: localPlace(place.home, run),
      path: '/usr/bin:/bin',
      passThrough: { http_proxy: address },
      credentialsFor: credentials(),
      log: place.log,
    })
    expect(await rejection(publisher.resolve(`${server.url}/one.git`, null))).toBeInstanceOf(RemoteFailure)
  }
  const { port } = new URL(server.url)
  expect(proxy.requests.length).toBeGreaterThan(0)
  expect(proxy.requests.every(({ url }) => url.includes(port))).toBe(true)
  for (const { authorization, proxyAuthorization } of proxy.requests) {
    for (const header of [authorization, proxyAuthorization]) {
      const shown = Buffer.from((header ?? '').replace('Basic ', ''), 'base64').toString()
      // On its way into a proxy's header, git reads % escapes once more.
      expect(shown).not.toContain('p@ss')
    }
  }
  await proxy.close()
})

test('the file is matched by scheme, host, port and path, first line first', async () => {
  await write(
    '# a comment, and rubbish: ://',
    'https://path:1@example.org/group',
    'https://repo:2@example.org/other/one.git',
    'https://ported:3@example.org:8443',
    'https://host:4@EXAMPLE.org',
    'https://late:5@example.org',
    'http://plain:6@localhost',
    'https://nobody.org',
    'https://bad:%zz@bad.org',
    'ssh://git:7@example.org',
  )
  expect(await find('https://example.org/group/a')).toBe('path')
  expect(await find('https://example.org/groups/a')).toBe('host')
  expect(await find('https://example.org/other/one')).toBe('repo')
  expect(await find('https://example.org/other/one.git')).toBe('repo')
  expect(await find('https://example.org/other/two')).toBe('host')
  expect(await find('https://example.org:443/x')).toBe('host')
  expect(await find('https://example.org:8443/x')).toBe('ported')
  expect(await find('http://localhost/x')).toBe('plain')
  for (const url of [
    'http://example.org/group/a',
    'https://sub.example.org/x',
    'https://example.org.evil.org/x',
    'https://nobody.org/x',
    'https://bad.org/x',
    '/a/path',
    'git@example.org:a',
    'ssh://example.org/a',
  ]) {
    expect([url, await find(url)]).toEqual([url, null])
  }
})

test('the token is for its own server over https, or on this machine, after what the file says', async () => {
  await write('https://me:own@github.com/mine')
  const tokenFor = credentials({ serverUrl: 'https://github.com', token: 'ghs_1' })
  expect(await tokenFor('https://github.com/a/b')).toEqual({ username: 'x-access-token', password: 'ghs_1' })
  expect(await tokenFor('https://github.com/mine/b')).toEqual({ username: 'me', password: 'own' })
  for (const url of [
    'http://github.com/a/b',
    'https://github.com:444/a',
    'https://gist.github.com/a',
    'https://x.org/a',
  ]) {
    expect([url, await tokenFor(url)]).toEqual([url, null])
  }
  const plain = credentials({ serverUrl: 'http://example.org', token: 'ghs_1' })
  expect(await plain('http://example.org/a')).toBeNull()
  const own = credentials({
    serverUrl: 'http://127.0.0.1:1',
    token: (repo) => Promise.resolve(`for ${repo}`),
  })
  expect(await own('http://127.0.0.1:1/a')).toMatchObject({ password: 'for http://127.0.0.1:1/a' })
  expect(await own('http://127.0.0.1:2/a')).toBeNull()
  const failing = credentials({
    serverUrl: 'https://github.com',
    token: () => Promise.reject(new Error('no')),
  })
  expect(await failing('https://github.com/a/b')).toBeNull()
})

test('the log is told, once, of a file that others can read or that is missing', async () => {
  await write(line())
  await chmod(file, 0o644)
  const quiet = credentials()
  await quiet('https://example.org/a')
  await quiet('https://example.org/a')
  expect(place.told).toEqual([expect.stringContaining('chmod 600')])
  const none = createCredentials({ file: `${file}-none`, token: null, log: place.log })
  expect(await none('https://example.org/a')).toBeNull()
  expect(place.told[1]).toContain('cannot be read')
})
