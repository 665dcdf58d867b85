import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createRepositories } from '../../src/git/repositories.ts'
import { run } from '../../src/process/run.ts'
import { git, makeCheckout, makeEmptyRepository, makeRepository } from '../support/repositories.ts'
import { makeWorkplace, type Workplace } from './workplace.ts'

const remote = createRepositories({ repoRoots: [], cwd: '/' })

describe('addresses', () => {
  test.each([
    ['https://example.org/a/b.git', 'https://example.org/a/b.git'],
    ['HTTPS://Example.ORG:443/a/b.git/', 'https://example.org/a/b.git'],
    ['https://github.com/a/b.git', 'https://github.com/a/b'],
    ['https://github.com/a/b/', 'https://github.com/a/b'],
    ['https://gitlab.com/a/b', 'https://gitlab.com/a/b.git'],
    ['https://gitlab.com/a/b.git', 'https://gitlab.com/a/b.git'],
    ['https://example.org:8443/a%20b', 'https://example.org:8443/a%20b'],
    ['https://[2001:DB8::1]/a', 'https://[2001:db8::1]/a'],
    ['ssh://git@example.org:22/a/b', 'ssh://git@example.org/a/b'],
    ['ssh://example.org:2222/~me/b', 'ssh://example.org:2222/~me/b'],
    ['git@GitHub.com:a/b.git', 'git@github.com:a/b'],
    ['example.org:b.git', 'example.org:b.git'],
    ['http://localhost:3000/a', 'http://localhost:3000/a'],
    ['http://127.0.0.1:80/a', 'http://127.0.0.1/a'],
    ['http://[::1]:3000/a', 'http://[::1]:3000/a'],
    ['git://127.0.0.1:9418/a', 'git://127.0.0.1/a'],
  ])('%s is taken as %s, from everywhere, and again as itself', async (given, normal) => {
    for (const door of ['rest', 'terminal'] as const) {
      const located = await remote.locate(given, door)
      expect(located).toMatchObject({ ok: true, repo: normal })
      expect(await remote.locate(normal, door)).toEqual(located)
    }
  })

  test.each([
    ['ext::sh -c true', 'ext::'],
    ['ext::https://example.org/a', 'ext::'],
    ['fd::17/foo', 'ext::'],
    ['::/a', 'ext::'],
    ['ftp://example.org/a', 'ftp://'],
    ['ext://example.org/a', 'ext://'],
    ['http+unix://example.org/a', 'http.unix://'],
    ['-oProxyCommand=x', 'dash'],
    ['--upload-pack=x', 'dash'],
    ['ssh://-oProxyCommand=x/a', 'not the name of a host|dash'],
    ['ssh://-o/a', 'dash'],
    ['ssh://-u@example.org/a', 'user name'],
    ['ssh://example.org/-x', 'dash'],
    ['ssh://example.org/~-x', 'dash'],
    ['-x@example.org:a', 'dash'],
    ['git@-oProxyCommand=x:a', 'not the name of a host|dash'],
    ['git@example.org:-x', 'dash'],
    ['https://example.org/a\nb', 'control'],
    ['https://example.org/a\0', 'control'],
    ['https://example.org/a\u2028', 'control'],
    [' https://example.org/a', 'spaces'],
    ['', 'empty'],
    ['https://me:secret@example.org/a', 'NIGHTSHIFT_GIT_CREDENTIALS'],
    ['https://token@example.org/a', 'NIGHTSHIFT_GIT_CREDENTIALS'],
    ['https://@example.org/a', 'NIGHTSHIFT_GIT_CREDENTIALS'],
    ['ssh://git:secret@example.org/a', 'NIGHTSHIFT_GIT_CREDENTIALS'],
    ['https://example.org/a?b=c', '[?]'],
    ['https://example.org/a#b', '#'],
    ['https://example.org?x', '[?]'],
    ['https://example.org/a/../b', '[.][.]'],
    ['https://example.org/a/%2e%2e/b', 'hide'],
    ['https://example.org/a%2fb', 'hide'],
    ['https://example.org/a%00', 'hide'],
    ['https://example.org/a%0a', 'hide'],
    ['https://example.org/a%252e', 'hide'],
    ['https://example.org/a%zz', 'escape'],
    ['https://example.org//a', 'empty parts'],
    ['https://example.org/', 'no repository'],
    ['https://example.org', 'no repository'],
    ['https:///a', 'no host'],
    ['https://example.org\\@evil.org/a', 'not the name|percent'],
    ['https://example.org./a', 'dot at the end'],
    ['https://exämple.org/a', 'xn--'],
    ['https://ex%61mple.org/a', 'not the name'],
    ['https://example.org:0/a', 'port'],
    ['https://example.org:65536/a', 'port'],
    ['https://example.org:/a', 'port'],
    ['https://example.org:80:80/a', 'port'],
    ['https://[::1%25eth0]/a', 'IPv6'],
    ['https://[::1/a', 'port|not the name|IPv6'],
    ['https://0x7f.1/a', 'IPv4'],
    ['https://2130706433/a', 'IPv4'],
    ['https://127.1/a', 'IPv4'],
    ['https://127.0.0.0x1/a', 'IPv4'],
    ['https://0177.0.0.1/a', 'IPv4'],
    ['http://example.org/a', 'https://'],
    ['http://0.0.0.0/a', 'https://'],
    ['http://127.0.0.1.example.org/a', 'https://'],
    ['http://localhost.example.org/a', 'https://'],
    ['http://[::ffff:127.0.0.1]/a', 'https://'],
    ['http://[::]/a', 'https://'],
    ['git://example.org/a', 'https://'],
    ['file://example.org/a', 'file:///'],
    ['file:a', 'two slashes'],
    ['https:example.org/a', 'two slashes'],
    ['C:\\a', 'percent'],
  ])('%j is refused, from everywhere, with a word on why', async (given, why) => {
    for (const door of ['rest', 'terminal'] as const) {
      const located = await remote.locate(given, door)
      expect(located).toEqual({ ok: false, message: expect.stringMatching(why) as string })
    }
  })

  test('no text whatever makes it throw, or lets an option, a helper or a password through', async () => {
    const piece = fc.constantFrom(
      'https://',
      'ssh://',
      'file://',
      'ext::',
      '-',
      '--',
      '@',
      ':',
      '/',
      '..',
      '%2e',
      '%00',
      '\n',
      '[::1]',
      'example.org',
      'git',
      '127.0.0.1',
      ':80',
      '~',
      '#',
      '?',
      '\\',
      ' ',
      'ä',
      '.git',
      'http://',
      'localhost',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), fc.string(), async (pieces, text) => {
        for (const repo of [pieces.join(''), pieces.join('') + text]) {
          const located = await remote.locate(repo, 'rest')
          if (!located.ok) continue
          expect(located.repo).toMatch(
            /^(?:https|ssh|http|git):\/\/(?:[\w.][\w.-]*@)?(?:\[[0-9a-f:.]+\]|[\w][\w.-]*)(?::\d+)?\/[^-]|^(?:[\w.][\w.-]*@)?\w[\w.-]*:[^-]/,
          )
          expect(located.repo).not.toMatch(/^[\w+.-]*::|https?:\/\/[^/]*@/)
          expect(await remote.locate(located.repo, 'rest')).toEqual(located)
        }
      }),
      { numRuns: 3000 },
    )
  })
})

function at(cwd: string, repo: string) {
  return createRepositories({ repoRoots: [], cwd }).locate(repo, 'terminal')
}

describe('folders', () => {
  let place: Workplace
  beforeEach(async () => {
    place = await makeWorkplace()
  })
  afterEach(() => place.close())

  test('a terminal may name any repository, also by a folder within a checkout', async () => {
    const made = await makeRepository(join(place.root, 'one.git'))
    const checkout = await makeCheckout(made.path, join(place.root, 'checkout'))
    await mkdir(join(checkout, 'sub', 'deep'), { recursive: true })
    const expected = { ok: true, repo: checkout, local: true }
    expect(await at(checkout, '.')).toEqual(expected)
    expect(await at(join(checkout, 'sub'), 'deep')).toEqual(expected)
    expect(await at(place.root, './checkout/')).toEqual(expected)
    expect(await at('/', join(checkout, '.git'))).toEqual(expected)
    expect(await at('/', `file://${checkout}`)).toEqual(expected)
    expect(await at(place.root, 'one.git')).toEqual({ ok: true, repo: made.path, local: true })
    const tree = join(place.root, 'tree')
    await git(checkout, ['worktree', 'add', '--quiet', tree])
    expect(await at(tree, '.')).toEqual({ ok: true, repo: tree, local: true })
    const none = await at('/', place.root)
    expect(none).toEqual({ ok: false, message: expect.stringContaining('git init') as string })
    expect(await at('/', join(place.root, 'none'))).toEqual({
      ok: false,
      message: expect.stringContaining('no folder') as string,
    })
  })

  test('REST may name repositories under the roots alone, and learns nothing of what lies outside', async () => {
    const roots = join(place.root, 'roots')
    const made = await makeRepository(join(roots, 'one.git'))
    const hidden = await makeRepository(join(place.root, 'hidden.git'))
    await makeEmptyRepository(join(place.root, 'roots-too', 'two.git'))
    const repositories = createRepositories({ repoRoots: [roots], cwd: roots })
    const rest = (repo: string) => repositories.locate(repo, 'rest')
    expect(await rest(made.path)).toEqual({ ok: true, repo: made.path, local: true })
    expect(await rest(`file://${made.path}`)).toEqual({ ok: true, repo: made.path, local: true })
    expect(await rest(`${roots}//one.git/../one.git/`)).toEqual({ ok: true, repo: made.path, local: true })

    const outside = await rest(hidden.path)
    expect(outside.ok).toBe(false)
    for (const path of [
      join(place.root, 'missing.git'),
      '/',
      '/etc',
      join(place.root, 'roots-too', 'two.git'),
      `${roots}/../hidden.git`,
      `file://${roots}/%2e%2e/hidden.git`,
    ]) {
      expect(await rest(path)).toEqual(outside)
    }
    expect(await rest('one.git')).toEqual({
      ok: false,
      message: expect.stringContaining('absolute') as string,
    })
    expect(await rest(join(roots, 'none.git'))).toMatchObject({ ok: false })
    expect(await rest(roots)).toMatchObject({ ok: false })
    expect(await remote.locate(made.path, 'rest')).toEqual({
      ok: false,
      message: expect.stringContaining('NIGHTSHIFT_REPO_ROOTS') as string,
    })
  })

  test('nothing under the roots leads out of them: no link, no .git file, no worktree, no alternates', async () => {
    const roots = join(place.root, 'roots')
    await mkdir(roots)
    const hidden = await makeRepository(join(place.root, 'hidden.git'))
    await symlink(hidden.path, join(roots, 'link.git'))
    await mkdir(join(roots, 'file'))
    await writeFile(join(roots, 'file', '.git'), `gitdir: ${hidden.path}\n`)
    await mkdir(join(roots, 'dot'))
    await symlink(hidden.path, join(roots, 'dot', '.git'))
    const borrowing = await makeEmptyRepository(join(roots, 'borrowing.git'))
    await writeFile(join(borrowing, 'objects', 'info', 'alternates'), `${hidden.path}/objects\n`)
    const packs = await makeRepository(join(roots, 'objects.git'))
    await git(packs.path, ['config', 'core.bare', 'true'])
    await mkdir(join(roots, 'refs.git'))
    for (const name of ['HEAD', 'objects', 'refs', 'config']) {
      await symlink(join(hidden.path, name), join(roots, 'refs.git', name))
    }
    await mkdir(join(roots, 'common.git', 'objects'), { recursive: true })
    await writeFile(join(roots, 'common.git', 'HEAD'), 'ref: refs/heads/main\n')
    await writeFile(join(roots, 'common.git', 'commondir'), `${hidden.path}\n`)

    const repositories = createRepositories({ repoRoots: [roots], cwd: roots })
    for (const name of ['link.git', 'file', 'dot', 'borrowing.git', 'refs.git', 'common.git']) {
      expect([name, await repositories.locate(join(roots, name), 'rest')]).toEqual([
        name,
        { ok: false, message: expect.stringContaining('not below') as string },
      ])
    }
    expect(await repositories.locate(packs.path, 'rest')).toMatchObject({ ok: true })
    // A root that is itself a link counts as what it leads to.
    await symlink(roots, join(place.root, 'alias'))
    const aliased = createRepositories({ repoRoots: [join(place.root, 'alias')], cwd: '/' })
    expect(await aliased.locate(join(place.root, 'alias', 'objects.git'), 'rest')).toEqual({
      ok: true,
      repo: packs.path,
      local: true,
    })
  })

  test('a folder whose .git is a pipe is refused and not waited for', async () => {
    await mkdir(join(place.root, 'pipe'))
    await run(['mkfifo', join(place.root, 'pipe', '.git')], {
      env: { PATH: '/usr/bin:/bin' },
      timeoutMs: 10_000,
    })
    const repositories = createRepositories({ repoRoots: [place.root], cwd: '/' })
    expect(await repositories.locate(join(place.root, 'pipe'), 'rest')).toMatchObject({ ok: false })
  })
})
