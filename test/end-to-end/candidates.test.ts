import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { listBranches, makeRepository, showFile } from '../support/repositories.ts'
import { servedPlace } from '../support/served-place.ts'

// The first breaks the check, the second is longer than the third.
const different =
  'case $NIGHTSHIFT_CANDIDATE in 1) echo bad > bad.txt;; 2) seq 9 > out.txt;; *) echo 3 > out.txt;; esac'

describe('several candidates', () => {
  const served = servedPlace()

  async function run(repo: string, command: string, more: Record<string, unknown> = {}) {
    const body = { repo, prompt: 'Best of them', command, candidates: 3, ...more }
    return served.server.untilDone((await served.server.submit(body)).id)
  }

  const files = {
    '.nightshift.yaml': 'checks:\n  - { name: none, run: "test ! -e bad.txt" }\nfixRounds: 0\n',
  }

  it('work side by side, the smallest that passes the gate is kept, and one branch comes of them', async () => {
    const remote = await makeRepository(join(served.place.folder, 'first.git'), { files })
    const task = await run(remote.path, different, { keep: 'smallest' })
    expect([task.outcome, task.reason]).toEqual(['pushed', null])
    expect(await listBranches(remote.path)).toEqual(['main', task.branch])
    expect([task.evidence?.files, task.evidence?.insertions]).toEqual([['out.txt'], 1])
    expect(task.evidence?.checks).toMatchObject([{ name: 'none', exitCode: 0 }])
    expect(await showFile(remote.path, task.branch, 'out.txt')).toBe('3\n')
    const log = await (await served.server.request('GET', `/api/v1/tasks/${task.id}/events?limit=500`)).text()
    expect(log).toContain('of 3 candidates, number 3 is kept: which passes the gate')
  })

  it('end alone as one does: kept, refused, failed, or with nothing to do', async () => {
    const remote = await makeRepository(join(served.place.folder, 'gate.git'), { files })
    const fine = await run(remote.path, 'test $NIGHTSHIFT_CANDIDATE != 2 && echo good > good.txt')
    expect([fine.outcome, await showFile(remote.path, fine.branch, 'good.txt')]).toEqual(['pushed', 'good\n'])
    const bad = await run(remote.path, 'echo bad > bad.txt')
    expect([bad.outcome, bad.evidence?.checks.map((check) => check.name)]).toEqual([
      'checks_failed',
      ['none'],
    ])
    const failing = await run(remote.path, 'exit 7')
    expect([failing.outcome, failing.evidence?.headSha]).toEqual(['agent_failed', null])
    const nothing = await run(remote.path, 'true')
    expect(nothing.outcome).toBe('no_changes')
    expect(await listBranches(remote.path)).toEqual(['main', fine.branch])
  })
})
