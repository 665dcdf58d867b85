import { assert, array, constantFrom, property } from 'fast-check'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { run } from '../../../src/process/run.ts'
import { globFault, matcherOf } from '../../../src/model/policy/glob.ts'
import { globExpression } from '../../../src/model/policy/hooks/glob-expression.ts'
import { hookFiles } from '../../../src/model/policy/hooks/hook-files.ts'
import { policySchema } from '../../../src/model/policy/schema.ts'
import { git, gitTestEnvironment, runGit } from '../../support/repositories.ts'

describe('the hooks that tell an agent of a broken rule at once', () => {
  let folder: string
  let clone: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nightshift-hooks-'))
    clone = join(folder, "it's a clone")
    await mkdir(clone)
    await git(clone, ['init', '--quiet', '--initial-branch=main'])
    await git(clone, ['config', 'user.name', 'Test'])
    await git(clone, ['config', 'user.email', 'test@example.org'])
    await write('README.md', '# A\n')
    await git(clone, ['add', '.'])
    await git(clone, ['commit', '--quiet', '-m', 'first'])
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  async function write(name: string, content: string): Promise<void> {
    await mkdir(dirname(join(clone, name)), { recursive: true })
    await writeFile(join(clone, name), content)
  }

  async function install(policy: unknown): Promise<void> {
    const baseSha = (await git(clone, ['rev-parse', 'HEAD'])).trim()
    const place = { folder: join(folder, 'hooks'), clone, baseSha, refused: join(folder, 'refused') }
    await mkdir(place.folder)
    for (const [name, text] of Object.entries(hookFiles(policySchema.parse(policy), place).programs)) {
      await writeFile(join(place.folder, name), text)
      await chmod(join(place.folder, name), 0o755)
    }
    await git(clone, ['config', 'core.hooksPath', place.folder])
  }

  async function commit(files: Readonly<Record<string, string>>) {
    for (const [name, content] of Object.entries(files)) await write(name, content)
    await git(clone, ['add', '--all'])
    const { exitCode, stderr } = await runGit(clone, ['commit', '--quiet', '-m', 'work'])
    return { passes: exitCode === 0, said: stderr }
  }

  test.each([
    [
      'deny',
      { deny: ['secret/**'] },
      { 'secret/a': '1' },
      'secret/a must not change',
      { 'open/secret': '1' },
    ],
    [
      'deny, in another case',
      { deny: ['secret/**'] },
      { 'SECRET/a': '1' },
      'must not change',
      { secrets: '1' },
    ],
    [
      'allow',
      { allow: ['src/**/*.{ts,js}'] },
      { 'src/a.py': '1' },
      'only src/**/*.{ts,js} may',
      { 'src/x/a.ts': '1', 'src/b.js': '1' },
    ],
    ['protect', {}, { '.nightshift.yaml': '' }, 'defines how the work is checked', { 'a.yaml': '' }],
    [
      'onlyExisting',
      { content: [{ files: '*.md', onlyExisting: true }] },
      { 'NOTES.md': '' },
      'no new file',
      { 'README.md': '# B\n', 'docs/NOTES.md': '' },
    ],
    ['maxFiles', { maxFiles: 1 }, { a: '', b: '' }, '2 files changed', { a: '' }],
    ['maxLines', { maxLines: 2 }, { a: '1\n2\n3\n' }, '3 lines changed', { a: '1\n2\n' }],
  ])(
    'git stops a commit that breaks %s, and lets a near miss pass',
    async (_rule, policy, broken, said, nearMiss) => {
      await install(policy)
      const first = await commit(broken)
      expect(first.passes).toBe(false)
      expect(first.said).toContain(said)
      await git(clone, ['reset', '--quiet', '--hard'])
      expect(await commit(nearMiss)).toEqual({ passes: true, said: '' })
    },
  )

  test('hooks that set-up put into the clone are still run', async () => {
    await install({})
    for (const name of ['pre-commit', 'commit-msg']) {
      await writeFile(join(clone, '.git/hooks', name), `#!/bin/sh\necho own ${name} >&2\n`)
      await chmod(join(clone, '.git/hooks', name), 0o755)
    }
    expect((await commit({ a: '' })).said).toBe('own pre-commit\nown commit-msg\n')
  })

  test.each([
    ['Write', 'secret/a', 2],
    ['Edit', '.nightshift.yaml', 2],
    ['Write', 'NEW.md', 2],
    ['Write', 'README.md', 0],
    ['Write', 'src/a.ts', 0],
    ['Write', '/etc/passwd', 0],
  ])('Claude Code asks before %s of %s: exit code %i', async (tool, path, exitCode) => {
    await install({ deny: ['secret/**'], content: [{ files: '*.md', onlyExisting: true }] })
    const input = { file_path: path.startsWith('/') ? path : join(clone, path), content: '"file_path": "x"' }
    const ended = await run([join(folder, 'hooks/claude-pre-tool-use')], {
      cwd: clone,
      env: gitTestEnvironment,
      stdin: JSON.stringify({ tool_name: tool, tool_input: input }),
      timeoutMs: 30_000,
    })
    expect([ended.exitCode, ended.stderr === '']).toEqual([exitCode, exitCode === 0])
  })

  test('their expressions mean what the globs mean', () => {
    const parts = constantFrom('a', 'b.c', '*', '**', '?', '*.c', '[ab]', '[!a]', '{a,b.c}', 'a+b', '\\*')
    const globs = array(parts, { minLength: 1, maxLength: 4 }).map((all) => all.join('/'))
    const paths = array(constantFrom('a', 'b', 'c', 'b.c', 'a+b', '*', '[ab]'), {
      minLength: 1,
      maxLength: 5,
    })
    assert(
      property(globs, paths, (glob, names) => {
        // Whether a folder itself is meant by what ends with ** is a matter of its wildcards.
        if (globFault(glob) !== null || /[*?\]}][^/]*\/\*\*$/.test(glob)) return
        const path = names.join('/')
        expect(new RegExp(globExpression([glob])).test(path), `${glob} ${path}`).toBe(matcherOf([glob])(path))
      }),
      { numRuns: 3000 },
    )
  })
})
