import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { samplePlan } from '../model/plan/sample.ts'
import { typed } from './person.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nightshift-plan-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function file(text: string | Buffer): Promise<string> {
  const path = join(folder, 'plan.md')
  await writeFile(path, text)
  return path
}

describe('nightshift plan check', () => {
  it('prints the batches of a plan and ends with exit code 0', async () => {
    const end = await typed(['plan', 'check', await file(samplePlan)])
    expect([end.exitCode, end.stderr]).toEqual([0, ''])
    expect(end.stdout).toBe(`Formatting helpers: 3 tasks in 2 batches

Batch 1: Helpers
  1.1 Create formatting.py
  1.2 Write it down

Batch 2: Callers
  2.1 Use format_bytes (needs 1.1)
`)
  })

  it('warns on stderr of a later batch that needs nothing, and ends with exit code 0 all the same', async () => {
    const path = await file('## Batch 1: A\n### Task 1: X\n## Batch 2: B\n### Task 2: Y\n')
    const end = await typed(['plan', 'check', path])
    expect(end.exitCode).toBe(0)
    expect(end.stderr).toContain(`warning: ${path}:3:1: batch 2 has no needs`)
    const json = await typed(['plan', 'check', path, '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: true,
      tasks: 2,
      batches: [{ id: '1', title: 'A', tasks: [{ id: '1', title: 'X', needs: [], line: 2 }] }, { id: '2' }],
      warnings: [{ line: 3 }],
    })
    expect(json.stderr).toBe('')
  })

  it('names file and line of every fault, and ends with exit code 2', async () => {
    const path = await file(
      '## Batch 1: A\n### Task 1: X\n```yaml\ntimout: 1m\n```\n### Task 1: Y\n```yaml\nneeds: ["7"]\n```\n',
    )
    const end = await typed(['plan', 'check', path])
    expect([end.exitCode, end.stdout]).toEqual([2, ''])
    expect(end.stderr).toContain(`${path}:4:1: task 1: timout: is no option of a task`)
    expect(end.stderr).toContain(`${path}:6:1: there are two tasks 1`)
    expect(end.stderr).toContain(`${path}:8:1: needs: task 1: there is no task 7 in this plan`)
    const json = await typed(['plan', 'check', path, '--json'])
    expect([json.exitCode, json.stderr]).toEqual([2, ''])
    expect(JSON.parse(json.stdout)).toMatchObject({
      error: { exitCode: 2, faults: [{ file: path, line: 4 }, { line: 6 }, { line: 8 }] },
    })
  })

  it.each([
    [
      'that is not there',
      () => Promise.resolve(join(folder, 'none.md')),
      'none.md: there is no such file or folder',
    ],
    ['that is a folder', () => Promise.resolve(folder), 'it is a folder'],
    ['that is no text', () => file(Buffer.from([0x23, 0x20, 0xff, 0x0a])), 'is not plain UTF-8 text'],
    ['without a task', () => file('# Nothing\n'), 'the plan has no task'],
  ])('of a file %s ends with exit code 2', async (_what, path, message) => {
    const end = await typed(['plan', 'check', await path()])
    expect([end.exitCode, end.stdout]).toEqual([2, ''])
    expect(end.stderr).toContain(message)
  })
})
