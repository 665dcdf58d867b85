import { array, assert, asyncProperty, constantFrom, integer, record } from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Task } from '../../src/model/task.ts'
import type { StandInRepository } from '../support/github/repository.ts'
import { until } from '../support/nightshift.ts'
import { git, showFile } from '../support/repositories.ts'
import { forgePlace } from './forge-place.ts'

const mergeRoute = 'PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge'

describe('the merge train on GitHub', () => {
  const here = forgePlace({ NIGHTSHIFT_SLOTS: '5' })

  async function all(
    repository: StandInRepository,
    bodies: readonly Readonly<Record<string, unknown>>[],
  ): Promise<Task[]> {
    const tasks: Task[] = []
    for (const body of bodies) tasks.push(await here.submit(repository, { merge: 'checks', ...body }))
    return Promise.all(tasks.map((task) => here.server.untilDone(task.id, 240_000)))
  }

  it('a conflict goes back to the agent with both sides, is judged again, and merges with both', async () => {
    const repository = await here.repository({
      'a.txt': 'one\n',
      '.nightshift.yaml': 'checks:\n  - name: marks\n    run: "! grep -q \'<<<<<<<\' a.txt"\n',
    })
    const command = `if grep -q '<<<<<<<' a.txt; then sed -i '/^[<=>]\\{7\\}/d' a.txt; else sleep 2; echo "$NIGHTSHIFT_PROMPT" >> a.txt; fi`
    const tasks = await all(repository, [
      { prompt: 'red', command },
      { prompt: 'blue', command },
    ])
    expect(tasks.map((task) => task.outcome)).toEqual(['merged', 'merged'])
    const lines = ((await showFile(repository.path, 'main', 'a.txt')) ?? '').trim().split('\n')
    expect(lines.toSorted()).toEqual(['blue', 'one', 'red'])
  })

  it('one whose checks hang keeps nobody waiting, and what can go, goes', async () => {
    const repository = await here.repository()
    const created = here.standIn.faults.hold('POST /repos/{owner}/{repo}/pulls', 'after')
    const stuck = await here.submit(repository, { merge: 'checks', command: 'echo 1 > stuck.txt' })
    await created.reached
    const [pull] = repository.pulls
    const sha = pull?.lastHead ?? ''
    repository.checkRuns.push({ sha, name: 'build', status: 'in_progress', conclusion: null })
    created.release()
    await until(
      async () => ((await here.server.task(stuck.id)).reason?.includes('waits for checks') ?? false) || null,
      'the first to wait for its checks',
    )
    const others = await all(repository, [{ command: 'echo 1 > b.txt' }, { command: 'echo 1 > c.txt' }])
    expect(others.map((task) => task.outcome)).toEqual(['merged', 'merged'])
    // It goes once it may, on top of what went before it.
    for (const run of repository.checkRuns) Object.assign(run, { status: 'completed', conclusion: 'success' })
    expect(await here.server.untilDone(stuck.id)).toMatchObject({ outcome: 'merged' })
    const names = (await git(repository.path, ['ls-tree', '--name-only', 'main'])).trim().split('\n')
    expect(names).toEqual(expect.arrayContaining(['b.txt', 'c.txt', 'stuck.txt']))
  })

  it('five tasks on one file, whatever they edit: each merges whole or ends conflict, and no merged change is lost', async () => {
    const edit = record({
      line: integer({ min: 1, max: 24 }),
      kind: constantFrom('insert', 'replace', 'delete'),
    })
    const mergeMethod = constantFrom('merge', 'squash', 'rebase')
    await assert(
      asyncProperty(array(edit, { minLength: 5, maxLength: 5 }), mergeMethod, async (edits, method) => {
        const lines = Array.from({ length: 24 }, (_, index) => `line ${index + 1}`)
        const repository = await here.repository({ 'a.txt': `${lines.join('\n')}\n` })
        // A lost answer, and a base that somebody is said to have moved, change nothing of it.
        here.standIn.faults.lose(mergeRoute)
        const message = 'Base branch was modified. Review and try the merge again.'
        here.standIn.faults.refuse(mergeRoute, { status: 405, message })
        const tasks = await all(
          repository,
          edits.map(({ line, kind }, index) => {
            const own = `task ${index} was here`
            const script = { insert: `${line}a ${own}`, replace: `${line}c ${own}`, delete: `${line}d` }[kind]
            return { command: `sed -i '${script}' a.txt`, mergeMethod: method }
          }),
        )
        for (const task of tasks) expect(['merged', 'conflict', 'no_changes', 'open']).toContain(task.outcome)
        const merged = tasks.filter((task) => task.outcome === 'merged')
        expect(merged.length).toBeGreaterThan(0)
        const text = (await showFile(repository.path, 'main', 'a.txt')) ?? ''
        for (const { evidence } of merged) {
          const { path } = repository
          const diff = await git(path, ['diff', '-U0', evidence?.baseSha ?? '', evidence?.headSha ?? ''])
          for (const row of diff.split('\n')) {
            if (/^\+[^+]/.test(row)) expect(text).toContain(`${row.slice(1)}\n`)
            if (/^-[^-]/.test(row)) expect(`\n${text}`).not.toContain(`\n${row.slice(1)}\n`)
          }
          const sha = evidence?.mergedSha ?? ''
          expect((await git(path, ['merge-base', 'main', sha])).trim()).toBe(sha)
        }
        // One pull request each, one merge each, and nothing on the base but those.
        expect(new Set(repository.pulls.map(({ head }) => head)).size).toBe(repository.pulls.length)
        const onMain = await git(repository.path, ['rev-list', '--first-parent', '--count', 'main'])
        expect(Number(onMain)).toBe(merged.length + 1)
      }),
      { numRuns: 2 },
    )
  }, 600_000)
})
