import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createCloner } from '../../src/git/clone.ts'
import type { Publisher } from '../../src/ports/publisher.ts'
import { RuntimeFailure, type CloneSource } from '../../src/ports/runtime.ts'
import {
  commitTo,
  git,
  makeCheckout,
  makeRepository,
  runGit,
  type MadeRepository,
} from '../support/repositories.ts'
import { incoming, makeWorkplace, rejection, type Workplace } from './workplace.ts'
import { run } from '../../src/process/run.ts'

const path = '/usr/local/bin:/usr/bin:/bin'
const clone = createCloner({ path, run, owner: null })
const never = new AbortController().signal

let place: Workplace
let publisher: Publisher
let made: MadeRepository
let folder: string
beforeEach(async () => {
  place = await makeWorkplace()
  publisher = await place.open()
  made = await makeRepository(join(place.root, 'one.git'), {
    files: {
      a: 'one\n',
      'dir/run': { mode: '100755', content: '#!/bin/sh\n' },
      link: { mode: '120000', content: 'a' },
    },
    commits: 3,
  })
  folder = join(place.root, 'clone')
  await mkdir(folder)
})
afterEach(() => place.close())

async function sourceOf(sha: string, parts: Partial<CloneSource> = {}): Promise<CloneSource> {
  const mirror = await publisher.mirror(made.path, sha, 'main')
  return { repo: made.path, sha, branch: 'nightshift/one', base: 'main', mirror, work: null, ...parts }
}

/** Of everything below a folder, no file of which may have a second name. */
async function inodes(top: string): Promise<Set<number>> {
  const found = new Set<number>()
  for (const entry of await readdir(top, { recursive: true, withFileTypes: true })) {
    const { ino, nlink } = await lstat(join(entry.parentPath, entry.name))
    if (!entry.isDirectory()) expect(nlink).toBe(1)
    found.add(ino)
  }
  return found
}

test('a clone has the branch at the commit, its files and its whole history, and is clean', async () => {
  await clone(await sourceOf(made.sha), folder, never)
  expect(await git(folder, ['status', '--porcelain', '--branch'])).toBe('## nightshift/one\n')
  expect((await git(folder, ['rev-parse', 'HEAD'])).trim()).toBe(made.sha)
  expect((await git(folder, ['rev-list', '--count', 'HEAD'])).trim()).toBe('3')
  expect(await git(folder, ['fsck', '--full', '--strict'])).toBe('')
  expect(await readFile(join(folder, 'a'), 'utf8')).toBe('one\n')
  expect((await stat(join(folder, 'dir', 'run'))).mode & 0o111).not.toBe(0)
  expect(await readlink(join(folder, 'link'))).toBe('a')
  await git(folder, ['commit', '--quiet', '--allow-empty', '-m', 'more'])
  expect((await git(folder, ['remote', 'get-url', 'origin'])).trim()).toBe(made.path)
})

test('a clone knows the base as a clone of the remote would', async () => {
  await clone(await sourceOf(made.sha, { base: 'release/1.x' }), folder, never)
  const known = await git(folder, [
    'for-each-ref',
    '--format=%(refname) %(objectname) %(symref)',
    'refs/remotes',
  ])
  expect(known).toBe(
    `refs/remotes/origin/HEAD ${made.sha} refs/remotes/origin/release/1.x\n` +
      `refs/remotes/origin/release/1.x ${made.sha} \n`,
  )
  await git(folder, ['commit', '--quiet', '--allow-empty', '-m', 'more'])
  expect(await git(folder, ['rev-list', '--count', 'origin/HEAD..'])).toBe('1\n')
})

test('a clone shares nothing: it lives on without the mirror, and no file is the same', async () => {
  const source = await sourceOf(made.sha)
  await clone(source, folder, never)
  const ofMirror = await inodes(source.mirror)
  expect([...(await inodes(folder))].filter((ino) => ofMirror.has(ino))).toEqual([])
  expect(await readdir(join(folder, '.git', 'objects', 'info'))).toEqual([])
  await rm(source.mirror, { recursive: true })
  expect((await git(folder, ['log', '--format=%H'])).split('\n')).toHaveLength(4)
})

test('a clone shows no other branch, no tag, no pin, no hook and no credential', async () => {
  await commitTo(made.path, 'nightshift/other', { secret: 'x' })
  await git(made.path, ['tag', 'v1'])
  await writeFile(join(made.path, 'hooks', 'post-checkout'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  await clone(await sourceOf(made.sha), folder, never)
  expect(await git(folder, ['for-each-ref', '--format=%(refname)'])).toBe(
    'refs/heads/nightshift/one\nrefs/remotes/origin/HEAD\nrefs/remotes/origin/main\n',
  )
  expect((await readdir(join(folder, '.git'))).toSorted()).toEqual([
    'HEAD',
    'config',
    'index',
    'objects',
    'packed-refs',
    'refs',
  ])
  expect(await readFile(join(folder, '.git', 'config'), 'utf8')).not.toContain('credential')
})

test('work comes on top: what a bundle brings, without the commits of another task', async () => {
  const checkout = await makeCheckout(made.path, join(place.root, 'checkout'))
  await writeFile(join(checkout, 'b'), 'b\n')
  await git(checkout, ['add', '.'])
  await git(checkout, ['commit', '--quiet', '-m', 'work'])
  const work = await publisher.receive(await incoming(made.path, made.sha, checkout))
  const source = await sourceOf(made.sha, { work: { bundle: await work.bundle(), headSha: work.headSha } })
  await clone(source, folder, never)
  expect(await git(folder, ['rev-parse', 'origin/main'])).toBe(`${made.sha}\n`)
  expect((await git(folder, ['rev-parse', 'nightshift/one'])).trim()).toBe(work.headSha)
  expect(await readFile(join(folder, 'b'), 'utf8')).toBe('b\n')
  expect(await git(folder, ['status', '--porcelain'])).toBe('')
  expect(await git(folder, ['fsck', '--full'])).toBe('')
})

test('filters, attributes and settings that the repository brings run nothing', async () => {
  const marker = join(place.root, 'ran')
  const sha = await commitTo(made.path, 'main', {
    '.gitattributes': '*.lfs filter=lfs\n*.evil filter=evil\n*.crlf text eol=crlf\n',
    '.gitconfig': `[filter "evil"]\n\tsmudge = touch ${marker}\n\trequired = true\n`,
    '.gitmodules': `[submodule "s"]\n\tpath = s\n\turl = ./s\n\tupdate = none\n`,
    s: { mode: '160000', content: made.sha },
    'x.evil': 'x\n',
    'x.lfs': 'version https://git-lfs.github.com/spec/v1\n',
    'x.crlf': 'x\n',
  })
  await clone(await sourceOf(sha), folder, never)
  expect(await readFile(join(folder, 'x.lfs'), 'utf8')).toContain('git-lfs')
  expect(await readFile(join(folder, 'x.crlf'), 'utf8')).toBe('x\r\n')
  expect(await readdir(join(folder, 's'))).toEqual([])
  expect(await git(folder, ['status', '--porcelain'])).toBe('')
  await expect(stat(marker)).rejects.toThrow('ENOENT')
})

test('eight clones side by side, while the mirror gets new packs, are all whole', async () => {
  const source = await sourceOf(made.sha)
  const fetching = (async () => {
    for (let number = 0; number < 33; number += 1) {
      await publisher.mirror(made.path, await commitTo(made.path, 'main', { a: `${number}\n` }), 'main')
    }
  })()
  for (let round = 0; round < 4; round += 1) {
    const folders = Array.from({ length: 8 }, (_, index) => `${folder}-${round}-${index}`)
    await Promise.all(folders.map((one) => mkdir(one).then(() => clone(source, one, never))))
    for (const one of folders) expect((await runGit(one, ['fsck', '--connectivity-only'])).exitCode).toBe(0)
  }
  await fetching
})

describe('what goes wrong', () => {
  test('a commit that the mirror lacks, and a branch that is none', async () => {
    const source = await sourceOf(made.sha)
    expect(await rejection(clone({ ...source, sha: '1'.repeat(40) }, folder, never))).toBeInstanceOf(
      RuntimeFailure,
    )
    const other = join(place.root, 'other')
    await mkdir(other)
    const bad = clone({ ...source, branch: '../../x' }, other, never)
    expect(await rejection(bad)).toBeInstanceOf(RuntimeFailure)
    expect(await readdir(other)).toEqual([])
  })

  test('a damaged mirror fails the clone, and is mended before the next', async () => {
    const source = await sourceOf(made.sha)
    const packs = join(source.mirror, 'objects', 'pack')
    const pack = (await readdir(packs)).find((name) => name.endsWith('.pack')) ?? ''
    await chmod(join(packs, pack), 0o600)
    await truncate(join(packs, pack), 60)
    expect(await rejection(clone(source, folder, never))).toBeInstanceOf(RuntimeFailure)
    const again = join(place.root, 'again')
    await mkdir(again)
    await clone(await sourceOf(made.sha), again, never)
    expect(await git(again, ['status', '--porcelain'])).toBe('')
  })

  test('an abort ends it with the reason of the signal', async () => {
    const source = await sourceOf(made.sha)
    const reason = new Error('cancelled')
    expect(await rejection(clone(source, folder, AbortSignal.abort(reason)))).toBe(reason)
    const late = new AbortController()
    const cloning = rejection(clone(source, join(place.root, 'late'), late.signal))
    late.abort(reason)
    expect(await cloning).toBe(reason)
  })
})

describe.skipIf(process.getuid?.() !== 0)('for another user (skipped unless root runs the tests)', () => {
  test('all files are that user’s, and git of that user finds nothing to refresh', async () => {
    const owner = { uid: 54_321, gid: 54_321 }
    await chmod(place.root, 0o755)
    await chown(folder, owner.uid, owner.gid)
    await createCloner({ path, run, owner })(await sourceOf(made.sha), folder, never)
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const { uid, gid } = await lstat(join(entry.parentPath, entry.name))
      expect([entry.name, uid, gid]).toEqual([entry.name, owner.uid, owner.gid])
    }
    // Quiet only where the index knows every file by its inode, owner and times.
    expect(await git(folder, ['diff-files', '--name-only'])).toBe('')
  })
})
