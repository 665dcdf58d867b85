import { rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findSecrets } from '../../src/core/steps/secrets.ts'
import { createSecretScanner } from '../../src/secretlint/secret-scanner.ts'
import type { Publisher } from '../../src/ports/publisher.ts'
import { git, makeCheckout, makeRepository, type MadeRepository } from '../support/repositories.ts'
import { incoming, makeWorkplace, type Workplace } from '../git/workplace.ts'

const token = ['ghp', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'].join('_')
const line = `token = "${token}"\n`
const scan = createSecretScanner()

describe('a secret is found', () => {
  let place: Workplace
  let publisher: Publisher
  let made: MadeRepository
  let number = 0

  beforeAll(async () => {
    place = await makeWorkplace()
    publisher = await place.open()
    made = await makeRepository(join(place.root, 'one.git'), {
      files: { 'a.txt': 'a\n', 'old.env': line, '.gitattributes': '*.dat binary\n' },
    })
  })
  afterAll(() => place.close())

  interface Hands {
    write(name: string, content: string | Buffer): Promise<void>
    remove(name: string): Promise<void>
    link(name: string, target: string): Promise<void>
    commit(message?: string): Promise<void>
    git(...args: string[]): Promise<string>
  }

  async function found(work: (hands: Hands) => Promise<void>) {
    const folder = await makeCheckout(made.path, join(place.root, `checkout-${(number += 1)}`))
    await work({
      write: (name, content) => writeFile(join(folder, name), content),
      remove: (name) => rm(join(folder, name)),
      link: (name, target) => symlink(target, join(folder, name)),
      async commit(message = 'work') {
        await git(folder, ['add', '--all', '--force', '.'])
        await git(folder, ['commit', '--quiet', '--allow-empty', '-m', message])
      },
      git: (...args) => git(folder, args),
    })
    const received = await publisher.receive(
      await incoming(made.path, made.sha, folder, { taskId: `T${number}` }),
    )
    return findSecrets(scan, received)
  }

  test('in a line of the head, by its file and line', async () => {
    const findings = await found(async ({ write, commit }) => {
      await write('a.txt', `a\nb\n${line}`)
      await commit()
    })
    expect(findings).toEqual([{ file: 'a.txt', line: 3, commit: null, kind: 'github' }])
  })

  const tricks: [
    what: string,
    work: (hands: Hands) => Promise<void>,
    file: string | null,
    inHistory: boolean,
  ][] = [
    [
      'added in one commit and removed in a later one',
      async ({ write, commit }) => {
        await write('a.txt', line)
        await commit()
        await write('a.txt', 'fine\n')
        await commit()
      },
      'a.txt',
      true,
    ],
    [
      'in a file of one commit that a later one removes',
      async ({ write, remove, commit }) => {
        await write('b.env', line)
        await commit()
        await remove('b.env')
        await commit()
      },
      'b.env',
      true,
    ],
    [
      'in a message',
      async ({ write, commit }) => {
        await write('a.txt', 'b\n')
        await commit(`work\n\nuse ${line}`)
      },
      null,
      true,
    ],
    [
      'in the name of an author',
      async ({ write, git: run }) => {
        await write('a.txt', 'b\n')
        await run('add', '.')
        await run('commit', '--quiet', '-m', 'work', '--author', `${token} <a@example.org>`)
      },
      null,
      true,
    ],
    [
      'in the name of a file',
      async ({ write, commit }) => {
        await write(token, 'b\n')
        await commit()
      },
      null,
      false,
    ],
    [
      'where a comment tells the scanner to look away',
      async ({ write, commit }) => {
        await write('a.txt', `// secretlint-disable\n${line}`)
        await commit()
      },
      'a.txt',
      false,
    ],
    [
      'where another file tells the scanner to look away',
      async ({ write, commit }) => {
        await write('a.txt', '// secretlint-disable\n')
        await write('b.txt', line)
        await commit()
      },
      'b.txt',
      false,
    ],
    [
      'behind a NUL, which makes the file binary',
      async ({ write, commit }) => {
        await write('b.txt', `\0\n${line}`)
        await commit()
      },
      'b.txt',
      false,
    ],
    [
      'in a file that attributes call binary',
      async ({ write, commit }) => {
        await write('b.dat', line)
        await write('.gitattributes', '* -diff\n')
        await commit()
      },
      'b.dat',
      false,
    ],
    [
      'in text of UTF-16',
      async ({ write, commit }) => {
        await write('b.ps1', Buffer.from(`\ufeff${line}`, 'utf16le'))
        await commit()
      },
      'b.ps1',
      false,
    ],
    [
      'in a binary file that a later commit removes',
      async ({ write, remove, commit }) => {
        await write('b.bin', `\0${line}`)
        await commit()
        await remove('b.bin')
        await commit()
      },
      'b.bin',
      true,
    ],
    [
      'in the target of a link',
      async ({ link, commit }) => {
        await link('b', token)
        await commit()
      },
      'b',
      false,
    ],
    [
      'in what a merge alone brings and a later commit removes',
      async ({ write, commit, git: run }) => {
        await run('checkout', '--quiet', '-b', 'side')
        await write('side.txt', 's\n')
        await commit()
        await run('checkout', '--quiet', 'main')
        await write('a.txt', 'b\n')
        await commit()
        await run('merge', '--quiet', '--no-commit', '--no-ff', 'side')
        await write('a.txt', line)
        await commit('merge')
        await write('a.txt', 'c\n')
        await commit()
      },
      'a.txt',
      true,
    ],
    [
      'on a root of its own, merged in and taken out again',
      async ({ write, remove, commit, git: run }) => {
        await run('checkout', '--quiet', '--orphan', 'root')
        await run('rm', '--quiet', '-rf', '.')
        await write('r.txt', line)
        await commit('root')
        await run('checkout', '--quiet', 'main')
        await run('merge', '--quiet', '--allow-unrelated-histories', 'root')
        await remove('r.txt')
        await commit()
      },
      'r.txt',
      true,
    ],
    [
      'in a file whose name holds a line break, removed later',
      async ({ write, remove, commit }) => {
        await write('b\n.txt', line)
        await commit()
        await remove('b\n.txt')
        await commit()
      },
      'b\n.txt',
      true,
    ],
  ]

  test.each(tricks)('%s', async (_what, work, file, inHistory) => {
    const findings = await found(work)
    expect(findings).toContainEqual({
      file,
      line: inHistory || file === null ? null : (expect.toSatisfy(() => true) as number | null),
      commit: inHistory ? (expect.stringMatching(/^[0-9a-f]{40}$/) as string) : null,
      kind: 'github',
    })
    expect(JSON.stringify(findings)).not.toContain(token)
  })

  test('not in what was there before, nor where it only moved within a commit that took it away', async () => {
    const findings = await found(async ({ write, remove, commit }) => {
      await write('a.txt', 'b\n')
      await commit()
      await remove('old.env')
      await commit()
    })
    expect(findings).toEqual([])
  })

  test('not in a file that moves, or in a line that is set anew; but another one beside it is', async () => {
    const moved = (text: string) =>
      found(async ({ git: run, write, commit }) => {
        await run('mv', 'old.env', 'new.env')
        await commit('first as it is')
        await write('new.env', text)
        await commit()
      })
    expect(await moved(`# why\n  ${line}`)).toEqual([])
    const other = token.replace('wWPw', 'wWPx')
    expect(await moved(`${line}other = "${other}"\n`)).toMatchObject([{ file: 'new.env', line: 2 }])
  })
})

test('looking for secrets leaves no measurements behind: a server does it for months', async () => {
  await scan('a.ts', line)
  const before = performance.getEntries().length
  for (let number = 0; number < 10; number += 1) await scan('a.ts', line)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(performance.getEntries()).toHaveLength(before)
})
