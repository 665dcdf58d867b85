import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmod, open, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Publisher, RemoteFailure } from '../../src/ports/publisher.ts'
import { TooLarge } from '../../src/ports/runtime.ts'
import { startGitServer, type GitServer } from '../support/git-server.ts'
import { commitTo, git, makeRepository, runGit, type MadeRepository } from '../support/repositories.ts'
import { makeWorkplace, rejection, type Workplace } from './workplace.ts'

let place: Workplace
let publisher: Publisher
let server: GitServer
let made: MadeRepository
let repo: string
beforeEach(async () => {
  place = await makeWorkplace()
  publisher = await place.open()
  server = await startGitServer({ root: place.root })
  made = await makeRepository(join(place.root, 'one.git'), { files: { a: 'one\n' }, commits: 3 })
  repo = `${server.url}/one.git`
})
afterEach(async () => {
  await server.close()
  await place.close()
})

const fetches = () => server.requests.filter(({ url }) => url.includes('info/refs')).length

test('a commit is fetched once, with its history, and then the remote is left alone', async () => {
  const mirror = await publisher.mirror(repo, made.sha, 'main')
  expect(mirror).toBe(join(place.home, 'mirrors', `${createHash('sha256').update(repo).digest('hex')}.git`))
  expect((await git(mirror, ['rev-list', '--count', made.sha])).trim()).toBe('3')
  const before = server.requests.length
  await Promise.all(Array.from({ length: 20 }, () => publisher.mirror(repo, made.sha, 'main')))
  expect(server.requests.length).toBe(before)
})

test('tasks that ask at the same time share one fetch; another process of the same home makes none', async () => {
  server.faults.delayMs = 50
  const other = await place.open()
  await Promise.all(
    [publisher, other].flatMap((one) => Array.from({ length: 8 }, () => one.mirror(repo, made.sha, 'main'))),
  )
  expect(fetches()).toBe(1)
})

test('only the pinned commit comes: no other branch, no tag, no submodule', async () => {
  const other = await commitTo(made.path, 'nightshift/other', { secret: 'x' })
  await git(made.path, ['tag', 'v1', other])
  const mirror = await publisher.mirror(repo, made.sha, 'main')
  expect(await git(mirror, ['for-each-ref', '--format=%(refname)'])).toBe(`refs/pinned/${made.sha}\n`)
  expect((await runGit(mirror, ['cat-file', '-e', other])).exitCode).not.toBe(0)
})

test('a commit that is on no branch any more is kept, and another such can still be fetched', async () => {
  const older = await commitTo(made.path, 'main', { a: 'two\n' })
  await publisher.mirror(repo, made.sha, 'main')
  await git(made.path, ['update-ref', 'refs/heads/main', made.sha])
  for (const url of [repo, made.path]) {
    const mirror = await publisher.mirror(url, older, 'main')
    expect((await git(mirror, ['rev-parse', `${older}^{tree}`])).trim()).toHaveLength(40)
  }
  await git(made.path, ['reflog', 'expire', '--expire=now', '--all'])
  await git(made.path, ['gc', '--quiet', '--prune=now'])
  const held = await publisher.mirror(repo, older, 'main')
  await git(held, ['gc', '--quiet', '--prune=now'])
  expect((await publisher.readFile(repo, older, 'a', 100))?.toString()).toBe('two\n')
})

test('a commit that the remote does not have is told as such', async () => {
  const failure = (await rejection(publisher.mirror(repo, '1'.repeat(40), 'main'))) as RemoteFailure
  expect(failure.fault).toBe('branch_not_found')
  const next = await commitTo(made.path, 'main', { a: 'two\n' })
  server.faults.status = 503
  const down = (await rejection(publisher.mirror(repo, next, 'main'))) as RemoteFailure
  expect(down.fault).toBe('unreachable')
  server.faults.status = null
  await publisher.mirror(repo, next, 'main')
})

test('a server that hands out no commit by name still gives those below the branch', async () => {
  // Only the old protocol knows this refusal: made by a hook-free repository that hides nothing but speaks version 0.
  await commitTo(made.path, 'main', { a: 'newer\n' })
  await git(made.path, ['config', 'protocol.version', '0'])
  await git(made.path, ['config', 'uploadpack.allowAnySHA1InWant', 'false'])
  server.faults.oldProtocol = true
  const mirror = await publisher.mirror(repo, made.sha, 'main')
  expect(await git(mirror, ['for-each-ref', '--format=%(refname)'])).toBe(`refs/pinned/${made.sha}\n`)
})

test('locks that a killed fetch has left are taken away', async () => {
  const mirror = await publisher.mirror(repo, made.sha, 'main')
  const next = await commitTo(made.path, 'main', { a: 'two\n' })
  await writeFile(join(mirror, 'refs', 'pinned', `${next}.lock`), '')
  await publisher.mirror(repo, next, 'main')
  expect((await publisher.readFile(repo, next, 'a', 100))?.toString()).toBe('two\n')
})

test('a fetch that dies with its process at any time leaves a mirror that can be used', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 400 }, (_, index) => [`f${index}`, `${index}`.repeat(2000)]),
  )
  const big = await makeRepository(join(place.root, 'big.git'), { files })
  for (const delayMs of [5, 20, 40, 60, 80, 120, 160, 240]) {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'mirror-child.ts'), place.home, big.path, big.sha],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const ended = once(child, 'exit')
    await once(child.stdout, 'data')
    await new Promise((wake) => setTimeout(wake, delayMs))
    child.kill('SIGKILL')
    await ended
    const mirror = await publisher.mirror(big.path, big.sha, 'main')
    await git(mirror, ['fsck', '--full'])
    if (delayMs % 40 === 0) await rm(mirror, { recursive: true })
  }
})

test.each([
  ['cut short', async (pack: string) => truncate(pack, 40)],
  ['gone', async (pack: string) => rm(pack)],
  ['changed in one byte', flipByte],
] as const)(
  'a mirror whose pack is %s is found out by the next fetch and made anew',
  async (_how, damage) => {
    const mirror = await publisher.mirror(repo, made.sha, 'main')
    await damage(await packOf(mirror))
    await writeFile(join(mirror, 'suspect'), '')
    const next = await commitTo(made.path, 'main', { a: 'two\n' })
    for (const sha of [next, made.sha]) {
      await publisher.mirror(repo, sha, 'main')
      await git(mirror, ['fsck', '--full'])
      expect(await publisher.readFile(repo, sha, 'a', 100)).not.toBeNull()
    }
    expect(place.told.join()).toContain('damaged mirror')
  },
)

test.each([
  ['HEAD', 'rubbish'],
  ['config', '[core\n'],
] as const)('a mirror whose %s is rubbish is made anew', async (name, content) => {
  const mirror = await publisher.mirror(repo, made.sha, 'main')
  await writeFile(join(mirror, name), content)
  const next = await commitTo(made.path, 'main', { a: 'two\n' })
  await publisher.mirror(repo, next, 'main')
  expect((await publisher.readFile(repo, next, 'a', 100))?.toString()).toBe('two\n')
})

test('a mirror that is only suspected, and sound, stays as it is', async () => {
  const mirror = await publisher.mirror(repo, made.sha, 'main')
  const { ino } = await stat(mirror)
  await writeFile(join(mirror, 'suspect'), '')
  await publisher.mirror(repo, made.sha, 'main')
  expect((await stat(mirror)).ino).toBe(ino)
  expect(await readdir(mirror)).not.toContain('suspect')
})

test('many fetches leave few packs; old pins go, and no object does', async () => {
  let mirror = ''
  const shas: string[] = []
  for (let number = 0; number < 34; number += 1) {
    const sha = await commitTo(made.path, 'main', { a: `${number}\n` })
    shas.push(sha)
    mirror = await publisher.mirror(made.path, sha, 'main')
    if (number === 0) {
      const old = new Date(Date.now() - 60 * 86_400_000)
      await utimes(join(mirror, 'refs', 'pinned', sha), old, old)
    }
  }
  const packs = (await readdir(join(mirror, 'objects', 'pack'))).filter((name) => name.endsWith('.pack'))
  expect(packs.length).toBeLessThan(10)
  expect(await readdir(join(mirror, 'refs', 'pinned'))).toHaveLength(33)
  for (const sha of shas)
    expect((await publisher.readFile(made.path, sha, 'a', 9))?.length).toBeGreaterThan(0)
})

test('a file of a commit is read whole or not at all', async () => {
  const sha = await commitTo(made.path, 'main', {
    'dir/b': 'b',
    'new\nline "quoted"': 'odd',
    big: 'x'.repeat(100_000),
    link: { mode: '120000', content: 'a' },
    sub: { mode: '160000', content: made.sha },
  })
  await publisher.mirror(repo, sha, 'main')
  const read = async (path: string, max = 200_000) =>
    (await publisher.readFile(repo, sha, path, max))?.toString() ?? null
  expect(await read('a')).toBe('one\n')
  expect(await read('new\nline "quoted"')).toBe('odd')
  expect(await read('big')).toHaveLength(100_000)
  for (const path of ['none', 'dir', 'sub', 'a/b', '../a', '/a', '', 'a\0b', '-x'])
    expect(await read(path)).toBeNull()
  expect(await rejection(read('big', 99_999))).toBeInstanceOf(TooLarge)
  expect(await rejection(publisher.readFile(repo, '2'.repeat(40), 'a', 9))).toBeInstanceOf(Error)
})

async function packOf(mirror: string): Promise<string> {
  const folder = join(mirror, 'objects', 'pack')
  const name = (await readdir(folder)).find((file) => file.endsWith('.pack'))
  if (name === undefined) throw new Error('the mirror has no pack')
  // Git keeps packs read-only, and an ordinary user could not damage them.
  await chmod(join(folder, name), 0o600)
  return join(folder, name)
}

async function flipByte(pack: string): Promise<void> {
  const file = await open(pack, 'r+')
  const byte = Buffer.alloc(1)
  await file.read(byte, 0, 1, 30)
  byte[0] = (byte[0] ?? 0) ^ 0xff
  await file.write(byte, 0, 1, 30)
  await file.close()
}
