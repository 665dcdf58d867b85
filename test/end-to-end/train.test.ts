import { array, assert, asyncProperty, constantFrom, integer, record } from 'fast-check'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Task } from '../../src/model/task.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { makePlace, startServer, type Place, type Server } from '../support/nightshift.ts'
import { branchSha, commitTo, git, listBranches, makeRepository, showFile } from '../support/repositories.ts'

describe('the merge train on a plain remote', () => {
  let database: TestDatabase
  let place: Place
  let server: Server
  let made = 0

  beforeAll(async () => {
    database = await testDatabase()
    place = await makePlace(database.url, { NIGHTSHIFT_SLOTS: '5' })
    server = await startServer(place)
  })

  afterAll(async () => {
    await server.process.stop()
    await place.remove()
    await database.close()
  })

  async function remote(files: Readonly<Record<string, string>>) {
    made += 1
    return makeRepository(join(place.folder, `remote-${made}.git`), { files })
  }

  async function all(repo: string, bodies: readonly Readonly<Record<string, unknown>>[]): Promise<Task[]> {
    const tasks: Task[] = []
    for (const body of bodies) {
      tasks.push(await server.submit({ repo, prompt: 'Edit', merge: 'checks', ...body }))
    }
    return Promise.all(tasks.map((task) => server.untilDone(task.id, 240_000)))
  }

  it('moves the base to the very head that was judged, and takes the branch away', async () => {
    const { path, sha } = await remote({ 'a.txt': 'a\n' })
    const [task] = await all(path, [{ command: 'echo b >> a.txt' }])
    const main = await branchSha(path, 'main')
    expect(task).toMatchObject({
      outcome: 'merged',
      reason: null,
      evidence: { baseSha: sha, headSha: main, mergedSha: main, pullRequest: null },
    })
    expect(await listBranches(path)).toEqual(['main'])
  })

  it('a base that refuses pushes leaves it pushed, and says so', async () => {
    const { path } = await remote({ 'a.txt': 'a\n' })
    // Git takes no push to a branch that somebody has checked out.
    const checkout = join(place.folder, 'checked-out')
    await git(place.folder, ['clone', '--quiet', path, checkout])
    const [task] = await all(checkout, [{ command: 'echo b >> a.txt' }])
    expect(task).toMatchObject({ outcome: 'pushed' })
    expect(task?.reason).toContain('main does not take it')
  })

  it('a conflict goes back to the agent with both sides in the files', async () => {
    const { path } = await remote({ 'a.txt': 'one\n' })
    const command = `if grep -q '<<<<<<<' a.txt; then sed -i '/^[<=>]\\{7\\}/d' a.txt; else sleep 1; echo "$NIGHTSHIFT_PROMPT" >> a.txt; fi`
    const tasks = await all(path, [
      { prompt: 'red', command },
      { prompt: 'blue', command },
    ])
    expect(tasks.map((task) => task.outcome)).toEqual(['merged', 'merged'])
    const lines = ((await showFile(path, 'main', 'a.txt')) ?? '').trim().split('\n')
    expect(lines.toSorted()).toEqual(['blue', 'one', 'red'])
  })

  it('an agent that takes back what others merged ends conflict, and the base keeps it', async () => {
    const { path } = await remote({ 'a.txt': 'one\n' })
    const tasks = await all(path, [
      { command: 'sleep 1; echo red > a.txt' },
      { command: 'sleep 1; echo blue > a.txt' },
    ])
    expect(tasks.map((task) => task.outcome).toSorted()).toEqual(['conflict', 'merged'])
    const lost = tasks.find((task) => task.outcome === 'conflict')
    expect(lost?.reason).toContain('a.txt')
    const won = tasks.find((task) => task.outcome === 'merged')
    expect(await branchSha(path, 'main')).toBe(won?.evidence?.mergedSha)
  })

  it('what does not hold together goes back to the agent, though it merges', async () => {
    const { path } = await remote({
      'limit.txt': '2\n',
      'list/a': '',
      '.nightshift.yaml':
        'checks:\n  - name: few\n    run: test "$(ls list | wc -l)" -le "$(cat limit.txt)"\n',
    })
    const grow = (name: string) =>
      `case "$NIGHTSHIFT_PROMPT" in *Mend*) rm "list/${name}"; echo instead > other-${name} ;; *) sleep 1; echo > "list/${name}" ;; esac`
    const tasks = await all(path, [{ command: grow('b') }, { command: grow('c') }])
    expect(tasks.map((task) => task.outcome)).toEqual(['merged', 'merged'])
    const names = (await git(path, ['ls-tree', '--name-only', '-r', 'main'])).trim().split('\n')
    expect(names.filter((name) => name.startsWith('list/'))).toHaveLength(2)
    expect(names.filter((name) => name.startsWith('other-'))).toHaveLength(1)
  })

  it('one that is stuck keeps nobody waiting', async () => {
    const { path } = await remote({ 'a.txt': 'a\n' })
    const stuck = await server.submit({ repo: path, prompt: 'Stuck', merge: 'checks', command: 'sleep 600' })
    const [task] = await all(path, [{ command: 'echo b > b.txt' }])
    expect(task).toMatchObject({ outcome: 'merged' })
    await server.request('POST', `/api/v1/tasks/${stuck.id}/cancel`)
    expect(await server.untilDone(stuck.id)).toMatchObject({ outcome: 'cancelled' })
  })

  it('five tasks on one file, whatever they edit: each merges whole or ends conflict, and no merged change is lost', async () => {
    const edit = record({
      line: integer({ min: 1, max: 24 }),
      kind: constantFrom('insert', 'replace', 'delete'),
    })
    await assert(
      asyncProperty(array(edit, { minLength: 5, maxLength: 5 }), async (edits) => {
        const lines = Array.from({ length: 24 }, (_, index) => `line ${index + 1}`)
        const { path, sha } = await remote({ 'a.txt': `${lines.join('\n')}\n` })
        const commands = edits.map(({ line, kind }, index) => {
          const own = `task ${index} was here`
          const script = { insert: `${line}a ${own}`, replace: `${line}c ${own}`, delete: `${line}d` }[kind]
          // On what others made of the file, too, it knows its line by its words.
          return `sed -i '${script}' a.txt`
        })
        const tasks = await all(
          path,
          commands.map((command) => ({ command })),
        )
        for (const task of tasks)
          expect(['merged', 'conflict', 'no_changes', 'pushed']).toContain(task.outcome)
        const merged = tasks.filter((task) => task.outcome === 'merged')
        expect(merged.length).toBeGreaterThan(0)
        const text = (await showFile(path, 'main', 'a.txt')) ?? ''
        for (const task of merged) {
          const diff = await git(path, [
            'diff',
            '-U0',
            task.evidence?.baseSha ?? '',
            task.evidence?.headSha ?? '',
          ])
          for (const row of diff.split('\n')) {
            if (/^\+[^+]/.test(row)) expect(text).toContain(`${row.slice(1)}\n`)
            if (/^-[^-]/.test(row)) expect(`\n${text}`).not.toContain(`\n${row.slice(1)}\n`)
          }
          expect((await git(path, ['merge-base', 'main', task.evidence?.mergedSha ?? ''])).trim()).toBe(
            task.evidence?.mergedSha,
          )
        }
        // Nothing came onto the base but what merged.
        const count = (await git(path, ['rev-list', '--count', `${sha}..main`])).trim()
        expect(Number(count)).toBe(merged.length)
        expect((await git(path, ['rev-list', '--merges', 'main'])).trim()).toBe('')
      }),
      { numRuns: 3 },
    )
  }, 600_000)

  it('a person’s push between two merges stays', async () => {
    const { path } = await remote({ 'a.txt': 'a\n' })
    const running = all(path, [{ command: 'sleep 2; echo b > b.txt' }])
    await commitTo(path, 'main', { 'person.txt': 'mine\n' })
    const [task] = await running
    expect(task).toMatchObject({ outcome: 'merged' })
    expect(await showFile(path, 'main', 'person.txt')).toBe('mine\n')
    expect(await showFile(path, 'main', 'b.txt')).toBe('b\n')
  })
})
