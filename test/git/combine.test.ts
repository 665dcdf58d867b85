import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { branchSha, commitTo, git, makeRepository, showFile } from '../support/repositories.ts'
import { identity, makeWorkplace, type Workplace } from './workplace.ts'

let workplace: Workplace
beforeAll(async () => {
  workplace = await makeWorkplace()
})
afterAll(() => workplace.close())

/** A repository with a branch for each of these, each made of main. */
async function repositoryWith(name: string, branches: Readonly<Record<string, Record<string, string>>>) {
  const { path, sha } = await makeRepository(join(workplace.root, `${name}.git`), {
    files: { 'a.txt': '1\n2\n3\n4\n5\n6\n7\n8\n9\n' },
  })
  const heads = []
  for (const [branch, files] of Object.entries(branches)) {
    heads.push({ branch, sha: await commitTo(path, branch, files, { from: sha }) })
  }
  return { path, sha, heads }
}

describe('what several tasks made', () => {
  it('is combined into one commit, the same on every machine, that only our mirror has', async () => {
    const one = { 'a.txt': 'one\n2\n3\n4\n5\n6\n7\n8\n9\n' }
    const three = { 'a.txt': '1\n2\n3\n4\n5\n6\n7\n8\nthree\n' }
    const { path, sha, heads } = await repositoryWith('clean', { one, two: { 'b.txt': 'two\n' }, three })
    const publisher = await workplace.open()
    const combined = await publisher.combine(path, heads, identity)
    if (combined.kind !== 'combined') throw new Error(combined.files.join())
    const mirror = await publisher.mirror(path, combined.sha, 'main')
    expect(await showFile(mirror, combined.sha, 'a.txt')).toBe('one\n2\n3\n4\n5\n6\n7\n8\nthree\n')
    expect(await showFile(mirror, combined.sha, 'b.txt')).toBe('two\n')
    for (const head of [...heads.map((each) => each.sha), sha]) {
      await git(mirror, ['merge-base', '--is-ancestor', head, combined.sha])
    }
    const other = await makeWorkplace()
    try {
      expect(await (await other.open()).combine(path, heads, identity)).toEqual(combined)
    } finally {
      await other.close()
    }
    expect(await branchSha(path, 'main')).toBe(sha)
  })

  it('is the one that contains the others, where there is one', async () => {
    const { path, heads } = await repositoryWith('chain', { one: { 'b.txt': 'one\n' } })
    const [first] = heads
    const next = await commitTo(path, 'two', { 'c.txt': 'two\n' }, { from: 'one' })
    const publisher = await workplace.open()
    const combined = await publisher.combine(
      path,
      [{ branch: 'two', sha: next }, first ?? { branch: '', sha: '' }],
      identity,
    )
    expect(combined).toEqual({ kind: 'combined', sha: next })
  })

  it('is told by its files where it does not go together', async () => {
    const { path, heads } = await repositoryWith('conflict', {
      one: { 'a.txt': 'one\n', 'ä b.txt': 'x' },
      two: { 'a.txt': 'two\n', 'ä b.txt': 'y' },
    })
    const publisher = await workplace.open()
    expect(await publisher.combine(path, heads, identity)).toEqual({
      kind: 'conflict',
      files: ['a.txt', 'ä b.txt'],
    })
  })
})
