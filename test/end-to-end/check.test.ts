import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makePlace, runCli, startCli, until, type Place } from '../support/nightshift.ts'
import { git, makeCheckout, makeRepository, runGit, type Files } from '../support/repositories.ts'

const rules = `
checks:
  - name: words
    run: "! grep -n bad {files}"
    files: ["**/*.txt"]
    baseline: true
policy:
  deny: ["secret/**"]
`

describe('nightshift check, on a checkout in hand', () => {
  let place: Place
  let made = 0
  beforeAll(async () => {
    place = await makePlace('')
  })
  afterAll(() => place.remove())

  async function checkout(files: Files = { '.nightshift.yaml': rules, 'old.txt': 'bad\n' }) {
    const remote = await makeRepository(join(place.folder, `remote-${(made += 1)}.git`), { files })
    const folder = await makeCheckout(remote.path, join(place.folder, `checkout-${made}`))
    const check = (...args: string[]) => runCli(place, ['check', ...args], { cwd: folder })
    const write = async (name: string, content: string) => {
      await writeFile(join(folder, name), content)
    }
    return { folder, check, write, git: (...args: string[]) => git(folder, args) }
  }

  it('passes work that the gate would let pass, and leaves no trace', async () => {
    const { check, write, git: run } = await checkout()
    await write('new.txt', 'good\n')
    const before = await run('count-objects', '-v')
    const { exitCode, stdout, stderr } = await check()
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^words {2}passed/)])
    expect(stderr).toContain('1 file against origin/HEAD')
    expect(await run('status', '--porcelain')).toBe('?? new.txt\n')
    expect(await run('count-objects', '-v')).toBe(before)
  })

  it('says what breaks the rules in the words of the gate, committed or not, and ends with 1', async () => {
    const { folder, check, git: run } = await checkout()
    await run('switch', '--quiet', '-c', 'work')
    await run('config', 'core.quotePath', 'false')
    await runGit(folder, ['update-index', '--add', '--cacheinfo', '100644', await blob(folder), 'secret/one'])
    await run('commit', '--quiet', '-m', 'one')
    const { exitCode, stdout } = await check('--base', 'main', '--staged')
    expect(exitCode).toBe(1)
    expect(stdout).toBe('secret/one must not change: the policy denies secret/**. Undo this change.\n')
    const json = await check('--json', '--staged')
    expect(json.exitCode).toBe(1)
    expect(JSON.parse(json.stdout)).toMatchObject({
      outcome: 'rejected',
      files: ['secret/one'],
      policy: { passed: false, violations: [{ rule: 'deny', file: 'secret/one' }] },
    })
  })

  it('compares with the usual branch where no remote is known, and says what it compared with', async () => {
    const { check, write, git: run } = await checkout()
    await run('remote', 'remove', 'origin')
    const onMain = await check()
    expect([onMain.exitCode, onMain.stdout]).toEqual([0, ''])
    expect(onMain.stderr).toMatch(/^Nothing differs from main \([0-9a-f]{12}\); --base names something else/)
    await run('switch', '--quiet', '-c', 'work')
    await write('new.txt', 'good\n')
    await run('add', 'new.txt')
    await run('commit', '--quiet', '-m', 'one')
    const { exitCode, stderr } = await check()
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('1 file against main (')])
  })

  it('runs the checks on the changed files, and tells apart what the base has too', async () => {
    const { check, write } = await checkout()
    await write('old.txt', 'bad\nmore\n')
    const old = await check('--json')
    expect(old.exitCode).toBe(0)
    expect(JSON.parse(old.stdout)).toMatchObject({
      outcome: 'passed',
      checks: [{ name: 'words', files: ['old.txt'], exitCode: 1, baselineFailed: true }],
    })
    await write('old.txt', 'bad\nbad too\n')
    const { exitCode, stdout } = await check()
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^words {2}exit code 1[^\n]*\n2:bad too\n$/)
    expect((await check('--no-checks')).exitCode).toBe(0)
  })

  it('judges what is staged, as a hook of git, also where a commit brings an index of its own', async () => {
    const { folder, write, git: run } = await checkout()
    const hook = join(folder, '.git/hooks/pre-commit')
    const [node, bin] = [process.execPath, join(import.meta.dirname, '../../bin/nightshift.js')]
    await writeFile(hook, `#!/bin/sh\nexec "${node}" "${bin}" check --staged\n`)
    await chmod(hook, 0o755)
    await write('bad.txt', 'bad\n')
    await run('add', 'bad.txt')
    await write('fine.txt', 'good\n')
    await run('add', 'fine.txt')
    const refused = await runGit(folder, ['commit', '-m', 'all'])
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('Checks failed: words')])
    const taken = await runGit(folder, ['commit', '-m', 'one', 'fine.txt'])
    expect([taken.exitCode, taken.stderr]).toEqual([0, expect.stringContaining('would let it pass')])
  })

  it('judges by the rules of the base, not by those that the branch brings', async () => {
    const { check, write } = await checkout()
    await write('.nightshift.yaml', 'policy: {}\n')
    const { exitCode, stdout } = await check()
    expect([exitCode, stdout]).toEqual([1, expect.stringContaining('.nightshift.yaml defines how')])
  })

  it('init writes a file that check can be tried with at once', async () => {
    const { folder, check } = await checkout({ 'package.json': '{"scripts": {"test": "exit 3"}}' })
    const written = await runCli(place, ['init', folder])
    expect(written).toMatchObject({ exitCode: 0, stdout: `${folder}/.nightshift.yaml\n` })
    expect(await readFile(join(folder, '.nightshift.yaml'), 'utf8')).toContain('run: npm run test')
    expect((await runCli(place, ['init', folder])).exitCode).toBe(2)
    const { exitCode, stdout } = await check()
    expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/^test {2}exit code 3/)])
  })

  it('init writes only where the file would be read, and says where that is', async () => {
    const { folder } = await checkout()
    await mkdir(join(folder, 'deep/er'), { recursive: true })
    await mkdir(join(place.folder, 'plain'))
    const cases: [where: string, said: string][] = [
      [join(folder, 'deep/er'), `where .nightshift.yaml is read: nightshift init ${folder};`],
      [join(place.folder, 'plain'), 'is no git repository: run git init there first'],
      [join(place.folder, 'nowhere'), 'is no folder'],
    ]
    for (const [where, said] of cases) {
      const end = await runCli(place, ['init', where])
      expect([end.exitCode, end.stderr]).toEqual([2, expect.stringContaining(said)])
      expect(existsSync(join(where, '.nightshift.yaml'))).toBe(false)
    }
    expect((await runCli(place, ['init', '--print', join(place.folder, 'plain')])).exitCode).toBe(0)
  })

  it('an operator’s policy that is wrong is told with its file, line and key', async () => {
    const { folder } = await checkout()
    const path = join(place.folder, 'operator.yaml')
    const environment = { ...place.environment, NIGHTSHIFT_POLICY: path }
    const told = async (text: string) => {
      await writeFile(path, text)
      const end = await runCli({ ...place, environment }, ['check'], { cwd: folder })
      expect(end.exitCode).toBe(2)
      return end.stderr.trim()
    }
    expect(await told('deny: [a\n')).toMatch(/operator\.yaml:\d:\d: is not valid YAML: /)
    expect(await told('test: keep\n')).toMatch(/operator\.yaml:1:1: test: .*Did you mean tests\?$/)
    expect(await told('policy:\n  deny: [a]\n')).toContain('operator.yaml:1:1: policy: is not needed here')
    await rm(path)
    const end = await runCli({ ...place, environment }, ['check'], { cwd: folder })
    expect([end.exitCode, end.stderr]).toEqual([2, expect.stringContaining('there is no such file')])
  })

  it('schema prints the JSON Schema', async () => {
    const { exitCode, stdout } = await runCli(place, ['schema'])
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ type: 'object', properties: { policy: {}, checks: {} } })
  })

  it('ends with 2 where there is nothing to judge, and says what to do', async () => {
    const outside = await runCli(place, ['check'], { cwd: place.folder })
    expect([outside.exitCode, outside.stderr]).toEqual([
      2,
      expect.stringContaining('no checkout of a git repository'),
    ])
    const { check, write, git: run } = await checkout()
    const unknown = await check('--base', 'nowhere')
    expect([unknown.exitCode, unknown.stderr]).toEqual([
      2,
      expect.stringContaining('git fetch origin nowhere'),
    ])
    await run('checkout', '--quiet', '--orphan', 'other')
    await run('commit', '--quiet', '-m', 'other')
    expect(await check('--base', 'main')).toMatchObject({ exitCode: 2 })
    await run('checkout', '--quiet', 'main')
    await write('.nightshift.yaml', 'polcy: {}\n')
    await run('commit', '--quiet', '-am', 'wrong')
    const wrong = await check('--base', 'HEAD', '--json')
    expect(wrong.exitCode).toBe(2)
    expect(JSON.parse(wrong.stdout)).toMatchObject({
      error: { message: expect.stringMatching(/^\.nightshift\.yaml:1:1: polcy: .*policy/) as string },
    })
  })

  it('ends a check that runs over its time, and one that is interrupted', async () => {
    const slow = 'checks:\n  - name: slow\n    run: sleep 600\n    timeout: 1s\n'
    const late = await checkout({ '.nightshift.yaml': slow })
    await late.write('a', '1')
    const { exitCode, stdout } = await late.check()
    expect([exitCode, stdout]).toEqual([1, expect.stringContaining('did not end in time')])
    const long = await checkout({ '.nightshift.yaml': slow.replace('1s', '10m').replace('600', '61717') })
    await long.write('a', '1')
    const started = startCli(place, ['check'], { cwd: long.folder })
    await until(() => (started.stderr().includes('check slow') ? true : null))
    expect((await started.stop('SIGINT')).exitCode).toBe(130)
  })
})

async function blob(folder: string): Promise<string> {
  return (await git(folder, ['hash-object', '-w', '--stdin'], 'one\n')).trim()
}
