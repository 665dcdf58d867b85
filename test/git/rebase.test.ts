import { access, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Publisher, Work } from '../../src/ports/publisher.ts'
import { commitTo, git, makeCheckout, makeRepository, showFile } from '../support/repositories.ts'
import { identity, incoming, makeWorkplace, type Workplace } from './workplace.ts'

describe('work that is brought onto a later base', () => {
  let place: Workplace
  let publisher: Publisher
  let made = 0

  beforeAll(async () => {
    place = await makeWorkplace()
    publisher = await place.open()
  })

  afterAll(() => place.close())

  const lines = (...changed: readonly [number, string][]) => {
    const all = Array.from({ length: 9 }, (_, index) => `line ${index + 1}`)
    for (const [number, text] of changed) all[number - 1] = text
    return `${all.join('\n')}\n`
  }

  /** Work on the first commit of a new remote: one commit for each state of a.txt. */
  async function workOf(...states: readonly string[]) {
    made += 1
    const remote = await makeRepository(join(place.root, `remote-${made}.git`), {
      files: { 'a.txt': lines() },
    })
    const checkout = await makeCheckout(remote.path, join(place.root, `checkout-${made}`))
    for (const [index, state] of states.entries()) {
      await writeFile(join(checkout, 'a.txt'), state)
      await git(checkout, ['commit', '--quiet', '--all', '--message', `change ${index + 1}\n\nIts reasons.`])
    }
    const work = await publisher.receive({
      ...(await incoming(remote.path, remote.sha, checkout)),
      taskId: `T${made}`,
    })
    return { remote, checkout, work }
  }

  const onto = async (remote: { path: string }, work: Work, a: string) => {
    const sha = await commitTo(remote.path, 'main', { 'a.txt': a })
    return { sha, rebased: await publisher.rebase(work, { sha, branch: 'main' }, identity) }
  }

  it('keeps its commits, their authors, times and words; done again, it is the same', async () => {
    const { remote, work } = await workOf(lines([1, 'one']), lines([1, 'one'], [2, 'two']))
    const { sha, rebased } = await onto(remote, work, lines([9, 'theirs']))
    if (rebased.kind !== 'rebased') throw new Error(rebased.kind)
    expect(rebased.work).toMatchObject({ baseSha: sha, commits: 2, insertions: 2, deletions: 2 })
    expect(rebased.unlike).toEqual([])
    const again = await publisher.rebase(work, { sha, branch: 'main' }, identity)
    expect(again.kind === 'rebased' ? again.work.headSha : '').toBe(rebased.work.headSha)
    expect(await publisher.push(rebased.work, { branch: 'main', expected: sha })).toEqual({ kind: 'pushed' })
    expect(await showFile(remote.path, 'main', 'a.txt')).toBe(lines([1, 'one'], [2, 'two'], [9, 'theirs']))
    const log = await git(remote.path, ['log', '--format=%an %ae|%cn|%s|%b', `${sha}..main`])
    expect(log.replaceAll('\n', ' ')).toContain('Test test@example.org|Nightshift|change 2|Its reasons.')
  })

  it('is contained already where the base has not moved, or where the work builds on it', async () => {
    const { remote, work } = await workOf(lines([1, 'one']))
    const rebased = await publisher.rebase(work, { sha: remote.sha, branch: 'main' }, identity)
    expect(rebased).toEqual({ kind: 'contained' })
  })

  it('has nothing left where the base has it all by now', async () => {
    const { remote, work } = await workOf(lines([1, 'one']))
    const { rebased } = await onto(remote, work, lines([1, 'one'], [9, 'theirs']))
    expect(rebased).toEqual({ kind: 'nothing_left' })
  })

  it('becomes one commit where its commits conflict one by one, but not as a whole', async () => {
    const { remote, work } = await workOf(lines([5, 'for a while']), lines([1, 'one']))
    const { sha, rebased } = await onto(remote, work, lines([5, 'theirs']))
    if (rebased.kind !== 'rebased') throw new Error(rebased.kind)
    expect(rebased.work).toMatchObject({ baseSha: sha, commits: 1 })
    const text = await rebased.work.readFile('head', 'a.txt', 1000)
    expect(text?.toString()).toBe(lines([1, 'one'], [5, 'theirs']))
  })

  it('shows both sides where they conflict, on the new base, and names the files', async () => {
    const { remote, work } = await workOf(lines([5, 'ours']))
    const { sha, rebased } = await onto(remote, work, lines([5, 'theirs']))
    if (rebased.kind !== 'conflict') throw new Error(rebased.kind)
    expect(rebased.files).toEqual(['a.txt'])
    const marked = await publisher.receive({
      taskId: `T${made}`,
      attempt: 2,
      repo: remote.path,
      baseSha: sha,
      commit: identity,
      bundle: rebased.marked.bundle,
    })
    const text = (await marked.readFile('head', 'a.txt', 1000))?.toString()
    expect(text).toContain('<<<<<<< base\ntheirs\n=======\nours\n>>>>>>> work\n')
  })

  it('runs nothing of the repository: no filter, no merge driver, no hook', async () => {
    made += 1
    const witness = join(place.root, 'ran')
    const remote = await makeRepository(join(place.root, `remote-${made}.git`), {
      files: { 'a.txt': lines(), '.gitattributes': '* merge=evil filter=evil\n' },
    })
    const checkout = await makeCheckout(remote.path, join(place.root, `checkout-${made}`))
    for (const key of ['merge.evil.driver', 'filter.evil.clean', 'filter.evil.smudge']) {
      await git(remote.path, ['config', key, `touch ${witness}; cat`])
    }
    await writeFile(join(checkout, 'a.txt'), lines([1, 'one']))
    await git(checkout, ['commit', '--quiet', '--all', '--message', 'one'])
    const work = await publisher.receive(await incoming(remote.path, remote.sha, checkout))
    const { rebased } = await onto(remote, work, lines([9, 'theirs']))
    expect(rebased.kind).toBe('rebased')
    await expect(access(witness)).rejects.toThrow('ENOENT')
  })

  it('can be flattened when it is received, and taken up from the remote', async () => {
    const { remote, checkout, work } = await workOf(lines([1, 'one']), lines([1, 'one'], [2, 'two']))
    expect(work.commits).toBe(2)
    const bundle = { ...(await incoming(remote.path, remote.sha, checkout)), taskId: 'F1', flatten: true }
    const flat = await publisher.receive(bundle)
    expect(flat).toMatchObject({ commits: 1, insertions: 2 })
    expect(await publisher.push(flat, { branch: 'work', expected: null })).toEqual({ kind: 'pushed' })
    const facts = { taskId: 'F2', attempt: 1, repo: remote.path, baseSha: remote.sha, headSha: flat.headSha }
    const recalled = await publisher.recall({ ...facts, branch: 'work' })
    expect(recalled).toMatchObject({ headSha: flat.headSha, commits: 1, insertions: 2 })
    expect(await publisher.hasTreeOf(recalled, { sha: flat.headSha, branch: 'work' })).toBe(true)
    expect(await publisher.isOn(recalled, 'head', { sha: remote.sha, branch: 'main' })).toBe(false)
    expect(await publisher.deleteBranch(recalled, 'work')).toEqual({ kind: 'pushed' })
  })
})
