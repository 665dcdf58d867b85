import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BadWork, type Publisher } from '../../src/ports/publisher.ts'
import {
  commitTo,
  git,
  gitTestEnvironment,
  makeCheckout,
  makeEmptyRepository,
  makeRepository,
  runGit,
  type Files,
  type MadeRepository,
} from '../support/repositories.ts'
import { bundleOf, identity, incoming, makeWorkplace, rejection, type Workplace } from './workplace.ts'

let place: Workplace
let publisher: Publisher
let made: MadeRepository
let checkout: string
beforeEach(async () => {
  place = await makeWorkplace()
  publisher = await place.open()
  made = await makeRepository(join(place.root, 'one.git'), {
    files: { a: 'one\ntwo\n', b: 'b\n', run: 'x\n' },
    commits: 3,
  })
  checkout = await makeCheckout(made.path, join(place.root, 'checkout'))
})
afterEach(() => place.close())

async function commit(message = 'work'): Promise<string> {
  await git(checkout, ['add', '--all', '--force', '.'])
  await git(checkout, ['commit', '--quiet', '--allow-empty', '-m', message])
  return (await git(checkout, ['rev-parse', 'HEAD'])).trim()
}

test('files that are asked for together are the same as alone: small ones, huge ones, none at all', async () => {
  const names = ['small', 'with\nnewline', 'huge', 'also huge', 'folder/inside']
  await mkdir(join(checkout, 'folder'))
  for (const name of names) {
    const large = Buffer.alloc(name.includes('huge') ? 40 * 1024 * 1024 : 5, name)
    await writeFile(join(checkout, name), large)
  }
  await commit()
  const work = await receive()
  const read = async (asked: readonly string[], maxBytes: number) =>
    Promise.all(asked.map((name) => work.readFile('head', name, maxBytes)))
  const small = ['small', 'folder', 'missing', 'with\nnewline', 'folder/inside']
  const expected = ['small', null, null, 'with\n', 'folde']
  expect((await read(small, 9)).map((bytes) => bytes?.toString() ?? null)).toEqual(expected)
  // Together more than is read at once.
  const all = await read(['huge', ...small, 'also huge'], 9)
  expect(all.map((bytes) => bytes?.toString() ?? null)).toEqual(['hugehugeh', ...expected, 'also huge'])
  expect((await read(['huge', 'small', 'missing'], 3)).map((bytes) => bytes?.toString())).toEqual([
    'hug',
    'sma',
    undefined,
  ])
})

test('a commit that is alone says who made it and what, in whatever encoding, and stands for itself', async () => {
  const say = async (...settings: readonly string[]) => {
    await git(checkout, ['reset', '--quiet', '--hard', made.sha])
    const message = Buffer.concat([Buffer.from('caf'), Buffer.from(settings.length === 0 ? 'é' : [0xe9])])
    await writeFile(join(place.root, 'message'), message)
    const args = ['commit', '--quiet', '--allow-empty', '-F', join(place.root, 'message')]
    await git(checkout, [...settings, ...args])
    const head = (await git(checkout, ['rev-parse', 'HEAD'])).trim()
    const { commits, whole } = await (await receive()).history(1024)
    expect([commits.length, commits[0]?.sha, whole]).toEqual([1, head, true])
    expect(commits[0]?.message).toMatch(/^Test <.*>\nTest <.*>\ncafé\n+$/)
  }
  await say()
  await say('-c', 'i18n.commitEncoding=ISO-8859-1')
})

const receive = async (parts = {}) => publisher.receive(await incoming(made.path, made.sha, checkout, parts))

test('work is told by what git finds: commits, files, modes and lines', async () => {
  await writeFile(join(checkout, 'a'), 'one\n2\n3\n')
  await rm(join(checkout, 'b'))
  await chmod(join(checkout, 'run'), 0o755)
  await writeFile(join(checkout, 'c.bin'), Buffer.from([0, 1, 2]))
  await commit()
  await rm(join(checkout, 'history.txt'))
  await symlink('/etc/passwd', join(checkout, 'history.txt'))
  const head = await commit()

  const work = await receive()
  expect(work).toMatchObject({ taskId: 'T1', baseSha: made.sha, headSha: head, commits: 2, empty: false })
  expect(work.changes).toEqual([
    { path: 'a', status: 'modified', oldMode: '100644', newMode: '100644', insertions: 2, deletions: 1 },
    { path: 'b', status: 'deleted', oldMode: '100644', newMode: '000000', insertions: 0, deletions: 1 },
    {
      path: 'c.bin',
      status: 'added',
      oldMode: '000000',
      newMode: '100644',
      insertions: null,
      deletions: null,
    },
    {
      path: 'history.txt',
      status: 'type_changed',
      oldMode: '100644',
      newMode: '120000',
      insertions: 1,
      deletions: 1,
    },
    { path: 'run', status: 'modified', oldMode: '100644', newMode: '100755', insertions: 0, deletions: 0 },
  ])
  expect([work.insertions, work.deletions]).toEqual([3, 3])
  expect((await work.diff()).toString()).toContain('+3\n')
  expect((await work.readFile('base', 'b', 9))?.toString()).toBe('b\n')
  expect(await work.readFile('head', 'b', 9)).toBeNull()
  expect((await work.readFile('head', 'a', 4))?.toString()).toBe('one\n')
})

test('names with line breaks, quotes and bytes that are no UTF-8 stay apart and can be read', async () => {
  const names = [
    Buffer.from('a\n"b"\t\\'),
    Buffer.from([0x78, 0xe9]),
    Buffer.from('x\uFFFDE9'),
    Buffer.from(':(top)é'),
  ]
  for (const [index, name] of names.entries()) {
    await writeFile(Buffer.concat([Buffer.from(`${checkout}/`), name]), `${index}\n`)
  }
  await commit()
  const work = await receive()
  expect(new Set(work.changes.map(({ path }) => path)).size).toBe(4)
  expect(work.changes.map(({ path }) => path)).toContain('a\n"b"\t\\')
  expect(work.changes.map(({ path }) => path)).toContain('x\uFFFDE9')
  const contents = await Promise.all(work.changes.map(({ path }) => work.readFile('head', path, 9)))
  expect(contents.map(String).toSorted()).toEqual(['0\n', '1\n', '2\n', '3\n'])
})

test('attributes, drivers and textconv of the agent hide nothing and run nothing', async () => {
  const marker = join(place.root, 'ran')
  await writeFile(join(checkout, '.gitattributes'), '* -diff\n*.x diff=evil\na binary\n')
  await git(checkout, ['config', 'diff.evil.textconv', `touch ${marker}; cat`])
  await git(checkout, ['config', 'diff.external', `touch ${marker}`])
  await writeFile(join(checkout, 'a'), 'one\ntwo\nthree\n')
  await writeFile(join(checkout, 'b.x'), 'x\n')
  await commit()
  const work = await receive()
  expect(work.changes.map(({ path, insertions }) => [path, insertions])).toEqual([
    ['.gitattributes', 3],
    ['a', 1],
    ['b.x', 1],
  ])
  expect((await work.diff()).toString()).toContain('+three')
  expect(await readdir(place.root)).not.toContain('ran')
})

test('a submodule and a large file have no lines', async () => {
  const head = await commitTo(made.path, 'work', {
    sub: { mode: '160000', content: made.sha },
    large: 'x\n'.repeat(40 * 1024 * 1024),
  })
  await git(checkout, ['fetch', '--quiet', 'origin', 'work'])
  await git(checkout, ['checkout', '--quiet', '--detach', head])
  const work = await receive()
  expect(work.changes.map(({ path, newMode, insertions }) => [path, newMode, insertions])).toEqual([
    ['large', '100644', null],
    ['sub', '160000', null],
  ])
  expect(work.insertions).toBe(0)
  expect(await work.readFile('head', 'sub', 9)).toBeNull()
  expect((await work.readFile('head', 'large', 1000))?.length).toBe(1000)
})

test('a hundred thousand changed files are told one by one', async () => {
  const files: Record<string, string> = {}
  for (let index = 0; index < 100_000; index += 1) files[`d${index % 300}/f${index}`] = `${index % 100}\n`
  const head = await commitTo(made.path, 'work', files)
  await git(checkout, ['fetch', '--quiet', 'origin', 'work'])
  await git(checkout, ['update-ref', '--no-deref', 'HEAD', head])
  const work = await receive()
  expect(work.changes).toHaveLength(100_000)
  expect(work.insertions).toBe(100_000)
  const diff = await work.diff()
  expect(diff.length).toBeLessThanOrEqual(5 * 1024 * 1024 + 100)
  expect(diff.toString()).toMatch(/\n\\ The diff is longer than \d+ bytes and is cut here\.\n$/)
}, 300_000)

describe('whatever the agent did to the history', () => {
  test('its own merges are kept', async () => {
    await git(checkout, ['checkout', '--quiet', '-b', 'side'])
    await writeFile(join(checkout, 'side'), '1\n')
    await commit('side')
    await git(checkout, ['checkout', '--quiet', 'main'])
    await writeFile(join(checkout, 'a'), 'main\n')
    await commit('main')
    await git(checkout, ['merge', '--quiet', '--no-edit', 'side'])
    const work = await receive()
    expect([work.commits, work.changes.length]).toEqual([3, 2])
    expect(work.headSha).toBe((await git(checkout, ['rev-parse', 'HEAD'])).trim())
  })

  test.each([
    ['an amended base', ['commit', '--quiet', '--amend', '--all', '-m', 'rewritten'], true],
    ['an orphan', ['checkout', '--quiet', '--orphan', 'new'], false],
  ] as const)('%s becomes one commit on the base, with our message', async (_what, command, shares) => {
    await writeFile(join(checkout, 'a'), 'changed\n')
    await git(checkout, ['add', 'a'])
    await git(checkout, [...command])
    if (!shares) await commit('all anew')
    const work = await receive({ bundle: await bundleOf(checkout, ...(shares ? [made.sha] : [])) })
    expect([work.commits, work.changes.map(({ path }) => path)]).toEqual([1, ['a']])
    expect(work.headSha).not.toBe((await git(checkout, ['rev-parse', 'HEAD'])).trim())
    await publisher.push(work, { branch: 'out', expected: null })
    expect(await git(made.path, ['log', '-1', '--format=%P %an <%ae>%n%B', 'out'])).toBe(
      `${made.sha} Nightshift <nightshift@example.org>\n${identity.message}\n`,
    )
  })

  test('a rewritten history with the tree of the base is no work', async () => {
    await git(checkout, ['commit', '--quiet', '--amend', '-m', 'other words'])
    const work = await receive()
    expect(work).toMatchObject({ empty: true, commits: 0, headSha: made.sha, changes: [] })
    await git(checkout, ['reset', '--quiet', '--hard', made.sha])
    await commit('nothing in it')
    expect(await receive()).toMatchObject({ empty: true, commits: 1, changes: [] })
  })
})

test('the bundle of received work is received again as the same work, also when it is empty', async () => {
  await writeFile(join(checkout, 'a'), 'changed\n')
  const head = await commit()
  const first = await receive()
  const saved = await first.bundle()
  await publisher.discard('T1', 1)
  const again = await receive({ attempt: 2, bundle: saved })
  expect([again.headSha, again.changes]).toEqual([head, first.changes])
  await writeFile(join(place.root, 'saved'), saved)
  await git(checkout, ['bundle', 'verify', join(place.root, 'saved')])

  const none = Buffer.concat([Buffer.from('PACK'), Buffer.from([0, 0, 0, 2, 0, 0, 0, 0])])
  const empty = Buffer.concat([
    Buffer.from(`# v2 git bundle\n-${made.sha}\n${made.sha} HEAD\n\n`),
    none,
    createHash('sha1').update(none).digest(),
  ])
  const nothing = await receive({ attempt: 3, bundle: empty })
  expect(nothing).toMatchObject({ empty: true, commits: 0, headSha: made.sha })
  expect(await receive({ attempt: 4, bundle: await nothing.bundle() })).toMatchObject({ empty: true })
})

test('what is received for a task is removed with it, and only that', async () => {
  await writeFile(join(checkout, 'a'), 'changed\n')
  await commit()
  await receive({ attempt: 1 })
  await receive({ attempt: 2 })
  await receive({ taskId: 'T1-2', attempt: 1 })
  await receive({ attempt: 10 })
  await publisher.discard('T1', 2)
  // A later attempt may be at work in another process.
  expect((await readdir(join(place.home, 'publish'))).toSorted()).toEqual(['T1-10.git', 'T1-2-1.git'])
  await publisher.discard('T1', 10)
  expect(await readdir(join(place.home, 'publish'))).toEqual(['T1-2-1.git'])
  await publisher.discard('none', 1)
  await publisher.discard('../../x', 1)
  expect(String(await rejection(receive({ taskId: '../x' })))).toContain('not a task id')
})

async function badWork(bundle: Buffer, words: RegExp): Promise<void> {
  const error = await rejection(receive({ bundle }))
  expect(error).toBeInstanceOf(BadWork)
  expect(String(error)).toMatch(words)
}

function withHeader(header: string, pack = Buffer.from('PACK')): Buffer {
  return Buffer.concat([Buffer.from(header), pack])
}

describe('a bundle that is not as it should be is the agent’s fault', () => {
  test('garbage, nothing, other refs, a huge header', async () => {
    await badWork(Buffer.alloc(0), /no git bundle/)
    await badWork(Buffer.from('rubbish\n\nmore'), /no git bundle/)
    await badWork(withHeader(`# v2 git bundle\n${'x'.repeat(2_000_000)}\n\n`), /no git bundle/)
    await badWork(withHeader('# v2 git bundle\n\n'), /exactly one ref/)
    await badWork(withHeader(`# v2 git bundle\n${made.sha} refs/heads/main\n\n`), /not allowed/)
    await badWork(withHeader(`# v2 git bundle\n${made.sha} HEAD\n${made.sha} HEAD\n\n`), /exactly one ref/)
    await badWork(withHeader(`# v3 git bundle\n@filter=blob:none\n${made.sha} HEAD\n\n`), /not allowed/)
    await badWork(withHeader(`# v2 git bundle\n${'1'.repeat(64)} HEAD\n\n`), /another kind/)
    await badWork(
      withHeader(`# v2 git bundle\n${made.sha} HEAD\n\n`, Buffer.from('rubbish')),
      /git cannot take/,
    )
  })

  test('a pack that is cut short at any place, or changed', async () => {
    await writeFile(join(checkout, 'a'), 'changed\n'.repeat(1000))
    await commit()
    const bundle = await bundleOf(checkout, made.sha)
    for (const part of [0.5, 0.9, 0.99]) {
      await badWork(bundle.subarray(0, Math.floor(bundle.length * part)), /no git bundle|git cannot take/)
    }
    const changed = Buffer.from(bundle)
    changed[changed.length - 30] = (changed.at(-30) ?? 0) ^ 0xff
    await badWork(changed, /git cannot take/)
  })

  test('objects and prerequisites that are missing', async () => {
    await writeFile(join(checkout, 'a'), 'first\n')
    const first = await commit()
    await writeFile(join(checkout, 'a'), 'second\n')
    await commit()
    await badWork(await bundleOf(checkout, first), /missing/)
    await badWork(packOf([['blob', Buffer.from('x')]], '1'.repeat(40)), /head of the work is missing/)
    const tree = Buffer.concat([Buffer.from('100644 a\0'), Buffer.from('1'.repeat(40), 'hex')])
    await badWork(packOf([['tree', tree]], made.sha), /git cannot take/)
  })

  test('a head that is no commit', async () => {
    const tag = Buffer.from(`object ${made.sha}\ntype commit\ntag t\ntagger T <t@e> 1 +0000\n\nx\n`)
    await badWork(packOf([['tag', tag]], shaOf('tag', tag)), /no commit/)
    await badWork(
      packOf([['blob', Buffer.from('x')]], shaOf('blob', Buffer.from('x'))),
      /no commit|cannot compare/,
    )
  })

  test.each([
    ['.git', '100644'],
    ['.GIT', '40000'],
    ['.git ', '100644'],
    ['git~1', '100644'],
    ['..', '40000'],
    ['.', '40000'],
    ['a/b', '100644'],
    ['', '100644'],
    ['.g\u200cit', '40000'],
  ])('a tree with an entry %j', async (name, mode) => {
    const blob = Buffer.from('x')
    const inner = treeOf([['100644', 'x', shaOf('blob', blob)]])
    const target = mode === '40000' ? shaOf('tree', inner) : shaOf('blob', blob)
    const tree = treeOf([[mode, name, target]])
    const head = Buffer.from(
      `tree ${shaOf('tree', tree)}\nparent ${made.sha}\nauthor T <t@e> 1 +0000\ncommitter T <t@e> 1 +0000\n\nx\n`,
    )
    const objects = [
      ['blob', blob],
      ['tree', inner],
      ['tree', tree],
      ['commit', head],
    ] as const
    await badWork(packOf(objects, shaOf('commit', head)), /git cannot take.*(?:fsck|object)/i)
  })

  test.each([
    [
      'a command as update',
      { '.gitmodules': '[submodule "a"]\n\tpath = a\n\turl = ./a\n\tupdate = !touch x\n' },
    ],
    ['an option as url', { '.gitmodules': '[submodule "a"]\n\tpath = a\n\turl = -u./x\n' }],
    ['a name with ..', { '.gitmodules': '[submodule "../a"]\n\tpath = a\n\turl = ./a\n' }],
    ['a link', { '.gitmodules': { mode: '120000', content: 'x' } }],
  ] satisfies [string, Files][])('.gitmodules with %s', async (_what, files) => {
    const head = await commitTo(made.path, 'work', { ...files, a: { mode: '160000', content: made.sha } })
    await git(checkout, ['fetch', '--quiet', 'origin', 'work'])
    await git(checkout, ['update-ref', '--no-deref', 'HEAD', head])
    await badWork(await bundleOf(checkout, made.sha), /gitmodules/i)
  })
})

test('work never sees the objects of another task', async () => {
  await writeFile(join(checkout, 'secret'), 'of task one\n')
  const secret = await commit()
  await receive()
  const tree = (await git(checkout, ['rev-parse', 'HEAD^{tree}'])).trim()
  const head = Buffer.from(
    `tree ${tree}\nparent ${made.sha}\nauthor T <t@e> 1 +0000\ncommitter T <t@e> 1 +0000\n\nx\n`,
  )
  const error = await rejection(
    receive({ taskId: 'T2', bundle: packOf([['commit', head]], shaOf('commit', head)) }),
  )
  expect(error).toBeInstanceOf(BadWork)
  const stolen = packOf([], secret)
  expect(await rejection(receive({ taskId: 'T2', bundle: stolen }))).toBeInstanceOf(BadWork)
})

test('a mirror that lost the base is made anew, and is not the agent’s fault', async () => {
  await writeFile(join(checkout, 'a'), 'changed\n')
  await commit()
  const mirror = await publisher.mirror(made.path, made.sha, 'main')
  await rm(mirror, { recursive: true })
  expect((await receive()).commits).toBe(1)
  await rm(join(mirror, 'objects', 'pack'), { recursive: true })
  const error = await rejection(receive())
  expect(error).not.toBeInstanceOf(BadWork)
  expect(String(error)).toContain('mirror')
  expect((await receive()).commits).toBe(1)
})

test('repositories with SHA-256 work the same', async () => {
  const repo = join(place.root, 'sha256.git')
  await makeEmptyRepository(repo)
  await rm(repo, { recursive: true })
  execFileSync('git', ['init', '--quiet', '--bare', '--object-format=sha256', repo], {
    env: { ...gitTestEnvironment },
  })
  const seed = join(place.root, 'seed')
  execFileSync('git', ['init', '--quiet', '--object-format=sha256', seed], { env: { ...gitTestEnvironment } })
  await writeFile(join(seed, 'a'), 'a\n')
  await git(seed, ['add', '.'])
  await git(seed, ['commit', '--quiet', '-m', 'first'])
  await git(seed, ['push', '--quiet', repo, 'HEAD:refs/heads/main'])
  const { sha } = await publisher.resolve(repo, null)
  expect(sha).toHaveLength(64)
  await writeFile(join(seed, 'a'), 'b\n')
  await git(seed, ['commit', '--quiet', '--all', '-m', 'second'])
  const work = await publisher.receive(await incoming(repo, sha, seed))
  expect(work.commits).toBe(1)
  expect(await publisher.push(work, { branch: 'out', expected: null })).toEqual({ kind: 'pushed' })
  const again = await publisher.receive(await incoming(repo, sha, seed, { bundle: await work.bundle() }))
  expect(again.headSha).toBe(work.headSha)
})

type ObjectKind = 'commit' | 'tree' | 'blob' | 'tag'

function shaOf(kind: ObjectKind, content: Buffer): string {
  return createHash('sha1').update(`${kind} ${content.length}\0`).update(content).digest('hex')
}

function treeOf(entries: readonly (readonly [mode: string, name: string, sha: string])[]): Buffer {
  return Buffer.concat(
    entries.flatMap(([mode, name, sha]) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(sha, 'hex')]),
  )
}

// A bundle as no git would write it: its pack made by hand, with its head and the base as its prerequisite.
function packOf(objects: readonly (readonly [kind: ObjectKind, content: Buffer])[], head: string): Buffer {
  const numbers = { commit: 1, tree: 2, blob: 3, tag: 4 }
  const parts = [Buffer.from('PACK\0\0\0\u0002'), Buffer.from([0, 0, 0, objects.length])]
  for (const [kind, content] of objects) {
    const header = [(numbers[kind] << 4) | (content.length & 15)]
    for (let size = content.length >> 4; size > 0; size >>= 7) {
      header[header.length - 1] = (header.at(-1) ?? 0) | 0x80
      header.push(size & 0x7f)
    }
    parts.push(Buffer.from(header), deflateSync(content))
  }
  const pack = Buffer.concat(parts)
  return Buffer.concat([
    Buffer.from(`# v2 git bundle\n-${made.sha}\n${head} HEAD\n\n`),
    pack,
    createHash('sha1').update(pack).digest(),
  ])
}

test('the helper that makes hostile packs makes sound ones, too', async () => {
  const head = Buffer.from(
    `tree ${(await git(made.path, ['rev-parse', 'main^{tree}'])).trim()}\nparent ${made.sha}\nauthor T <t@e> 1 +0000\ncommitter T <t@e> 1 +0000\n\nx\n`,
  )
  expect(await receive({ bundle: packOf([['commit', head]], shaOf('commit', head)) })).toMatchObject({
    commits: 1,
  })
  expect((await runGit(checkout, ['status'])).exitCode).toBe(0)
})
