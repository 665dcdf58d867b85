import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunBatches } from '../../src/model/run.ts'
import { startGitServer } from '../../test/support/git-server.ts'
import { makeRepository } from '../../test/support/repositories.ts'
import type { Row } from './dashboard.ts'
import { startBenchServer } from './server.ts'
import { timeShellScript } from './shell-script.ts'

const tasks = 200
const slots = 16
const command = 'sleep 0.1; echo "$$" > "work-$$.txt"'

/** A run of many tasks that take next to no time: what is measured is all that is around them. */
export async function many(rounds: number): Promise<Row[]> {
  const [ours, theirs, ratios]: [number[], number[], number[]] = [[], [], []]
  for (let round = 0; round < rounds; round += 1) {
    const folder = await mkdtemp(join(tmpdir(), 'nightshift-bench-'))
    await makeRepository(join(folder, 'remote.git'), { commits: 3 })
    const remotes = await startGitServer({ root: folder })
    const repo = `${remotes.url}/remote.git`
    const script = await timeShellScript(repo, tasks, slots, command)
    const server = await startBenchServer(folder, slots)
    const plan = Array.from({ length: tasks }, (_, index) => `### Task 1.${index + 1}: Work ${index + 1}\n`)
    const startedMs = performance.now()
    const { id } = await server.start({
      repo,
      command,
      plan: `# Many\n\n## Batch 1: All\n\n${plan.join('\n')}`,
    })
    let state = ''
    while (state !== 'done') {
      await new Promise((resolve) => setTimeout(resolve, 200))
      state = (await server.get<{ state: string }>(`/runs/${id}`)).state
    }
    const seconds = (performance.now() - startedMs) / 1000
    const { batches } = await server.get<RunBatches>(`/runs/${id}/batches`)
    const bad = batches.flatMap((batch) => batch.tasks).find(({ outcome }) => outcome !== 'pushed')
    if (bad !== undefined) throw new Error(`${bad.id} ended ${bad.outcome}: ${bad.reason}`)
    ours.push(seconds)
    theirs.push(script)
    ratios.push(seconds / script)
    await server.close()
    await remotes.close()
    await rm(folder, { recursive: true, force: true })
  }
  const middle = (values: readonly number[]) =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
  return [
    {
      what: `a run of ${tasks} tasks of 0.1 s on ${slots} slots`,
      measured: `${middle(ours).toFixed(1)} s`,
      beside: `script ${middle(theirs).toFixed(1)} s, ratio ${middle(ratios).toFixed(2)}`,
      goal: 'ratio <= 3',
    },
  ]
}
