import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Task } from '../../src/model/task.ts'
import { testDatabase } from '../support/database.ts'
import { makePlace, runCli, startServer, tasksOf, until, type Server } from '../support/nightshift.ts'
import { listBranches, makeRepository, showFile } from '../support/repositories.ts'
import { servedPlace } from '../support/served-place.ts'

// The first breaks the check, the second is longer than the third.
const different =
  'echo "the agent runs"; case $NIGHTSHIFT_CANDIDATE in 1) echo bad > bad.txt;; 2) seq 9 > out.txt;; *) echo 3 > out.txt;; esac'
// Looks at what each made, and at the base.
const longest =
  'test -e .nightshift.yaml && best=$(wc -l "$NIGHTSHIFT_CANDIDATES"/*.diff | sort -rn | sed -n 2p | sed "s/.*\\///; s/.diff//"); echo "{\\"candidate\\": $best, \\"reason\\": \\"it has most lines\\"}" > "$NIGHTSHIFT_JUDGEMENT"'
const files = {
  '.nightshift.yaml': 'checks:\n  - { name: none, run: "test ! -e bad.txt" }\nfixRounds: 1\n',
}

async function logOf(server: Server, id: string): Promise<string> {
  return (await server.request('GET', `/api/v1/tasks/${id}/log`)).text()
}

describe('several candidates', () => {
  const served = servedPlace()

  async function run(repo: string, more: Record<string, unknown>): Promise<Task> {
    const body = { repo, prompt: 'Best of them', candidates: 3, ...more }
    return served.server.untilDone((await served.server.submit(body)).id)
  }

  const remoteOf = (name: string) => makeRepository(join(served.place.folder, `${name}.git`), { files })

  it.each([
    ['the smallest', { keep: 'smallest' }, 3, 'it is the smallest of 2 that pass the gate'],
    ['the one that a judge prefers', { judgeCommand: longest }, 2, 'the judge prefers it: it has most lines'],
    [
      'the smallest, where the judge fails',
      { judgeCommand: 'echo no >&2; exit 3' },
      3,
      'it is the smallest of 2 that pass the gate, since the judge made no choice: the command exited with code 3 (no)',
    ],
    [
      'the smallest, where the judge answers nothing that can be read',
      { judge: 'command', judgeCommand: 'echo "number two, please"' },
      3,
      'it is the smallest of 2 that pass the gate, since the judge made no choice: it printed no JSON object with a candidate',
    ],
    [
      'the smallest, where the judge prefers one that does not pass',
      { keep: 'judge', judgeCommand: 'echo \'{"candidate": 1}\'' },
      3,
      'it is the smallest of 2 that pass the gate, since the judge made no choice: candidate: 1 is none of 2, 3',
    ],
    [
      'the smallest, where the judge is silent',
      { judgeCommand: 'sleep 600', silence: '2s' },
      3,
      'it is the smallest of 2 that pass the gate, since the judge made no choice: it said nothing for too long',
    ],
  ])('work side by side, and kept is, of those that pass the gate, %s', async (name, how, number, why) => {
    const remote = await remoteOf(name.replaceAll(/\W/g, '-'))
    const task = await run(remote.path, { command: different, ...how })
    expect([task.outcome, task.reason]).toEqual(['pushed', null])
    expect(task.evidence?.candidate).toEqual({ number, of: 3, why: expect.stringContaining(why) as string })
    expect(task.evidence).toMatchObject({ files: ['out.txt'], insertions: number === 2 ? 9 : 1 })
    expect(task.evidence?.checks).toMatchObject([{ name: 'none', exitCode: 0 }])
    expect(await listBranches(remote.path)).toEqual(['main', task.branch])
    expect(await showFile(remote.path, task.branch, 'out.txt')).toContain(number === 2 ? '9\n' : '3\n')
  })

  it('are of different kinds, the first that passes ends the others, and it mends its own work', async () => {
    const remote = await remoteOf('kinds')
    const candidates = [
      { command: 'echo slow; sleep 600' },
      { command: 'exit 7' },
      { command: 'sleep 1; echo $NIGHTSHIFT_CANDIDATE > one.txt' },
    ]
    const first = await run(remote.path, { candidates })
    expect(first.evidence?.candidate).toEqual({
      number: 3,
      of: 3,
      why: 'it is the first that passes the gate',
    })
    expect(await showFile(remote.path, first.branch, 'one.txt')).toBe('3\n')
    expect(await logOf(served.server, first.id)).toContain('slow')

    const mending =
      'if [ $NIGHTSHIFT_ROUND = 0 ]; then echo bad > bad.txt; else rm bad.txt; echo $NIGHTSHIFT_CANDIDATE > two.txt; fi'
    const mended = await run(remote.path, { candidates: [{ command: 'exit 7' }, { command: mending }] })
    expect(mended).toMatchObject({ outcome: 'pushed', evidence: { files: ['two.txt'] } })
    expect(await showFile(remote.path, mended.branch, 'two.txt')).toBe('2\n')
  })

  it('end alone as one does: kept, refused, failed, or with nothing to do', async () => {
    const remote = await remoteOf('gate')
    const fine = await run(remote.path, {
      command: 'test $NIGHTSHIFT_CANDIDATE != 2 && echo good > good.txt',
    })
    expect([fine.outcome, await showFile(remote.path, fine.branch, 'good.txt')]).toEqual(['pushed', 'good\n'])
    const bad = await run(remote.path, { command: 'echo bad > bad.txt' })
    expect([bad.outcome, bad.evidence?.checks.map((check) => check.name)]).toEqual([
      'checks_failed',
      ['none'],
    ])
    const failing = await run(remote.path, { command: 'exit 7' })
    expect([failing.outcome, failing.evidence?.headSha]).toEqual(['agent_failed', null])
    const nothing = await run(remote.path, { command: 'true' })
    expect(nothing.outcome).toBe('no_changes')
    expect(await listBranches(remote.path)).toEqual(['main', fine.branch])
  })

  it('are asked for by flags and in plans alike', async () => {
    const remote = await remoteOf('doors')
    const list = JSON.stringify([{ command: 'seq 9 > out.txt' }, { command: 'echo 3 > out.txt' }])
    const flags = ['--repo', remote.path, '--candidates', list, '--keep', 'smallest', '--json']
    const plan = join(served.place.folder, 'candidates.md')
    const options = `candidates:\n  - command: seq 9 > out.txt\n  - { command: echo 3 > out.txt }\njudgeCommand: ${JSON.stringify(longest)}\n`
    await writeFile(plan, `## Batch 1\n### Task 1: Best of them\n\`\`\`yaml\n${options}\`\`\`\n`)
    const [typed, planned] = await Promise.all([
      runCli(served.place, ['run', 'Best of them', ...flags]),
      runCli(served.place, ['run', '--plan', plan, '--repo', remote.path, '--json']),
    ])
    expect(tasksOf(typed)).toMatchObject([
      { agent: 'command', outcome: 'pushed', evidence: { candidate: { number: 2 } } },
    ])
    expect(tasksOf(planned)).toMatchObject([
      { outcome: 'pushed', evidence: { candidate: { number: 1, why: expect.stringContaining('judge') } } },
    ])
    await writeFile(
      plan,
      '## Batch 1\n### Task 1: One\n```yaml\ncommand: x\ncandidates:\n  - agent: nobody\n```\n',
    )
    const refused = await runCli(served.place, ['plan', 'check', plan])
    expect([refused.exitCode, refused.stderr]).toEqual([
      2,
      expect.stringContaining('candidates.md:6:5: task 1: candidates[0].agent: must be claude or codex'),
    ])
  })
})

describe('a server that is killed while a judge thinks', () => {
  it('asks another judge, and no agent again', async () => {
    const database = await testDatabase()
    const place = await makePlace(database.url)
    try {
      const remote = await makeRepository(join(place.folder, 'killed.git'), { files })
      const judgeCommand = `if [ $NIGHTSHIFT_ATTEMPT = 1 ]; then echo "the judge thinks"; sleep 600; fi; ${longest}`
      const first = await startServer(place)
      const body = { repo: remote.path, prompt: 'Best', command: different, candidates: 3, judgeCommand }
      const { id } = await first.submit(body)
      await until(async () => ((await logOf(first, id)).includes('the judge thinks') ? true : null))
      await first.process.stop('SIGKILL')

      const second = await startServer(place)
      const task = await second.untilDone(id)
      expect(task).toMatchObject({ outcome: 'pushed', attempt: 2, evidence: { candidate: { number: 2 } } })
      expect((await logOf(second, id)).split('the agent runs')).toHaveLength(4)
      expect(await listBranches(remote.path)).toEqual(['main', task.branch])
      await second.process.stop()
      expect(
        await database.query('select 1 from saved_candidates union all select 1 from saved_work'),
      ).toEqual([])
      for (const folder of ['work', 'publish']) {
        const path = join(place.environment['NIGHTSHIFT_HOME'] ?? '', folder)
        expect(await readdir(path).catch(() => [])).toEqual([])
      }
    } finally {
      await place.remove()
      await database.close()
    }
  })
})
