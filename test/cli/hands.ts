import { noEvidence, type Evidence } from '../../src/model/evidence.ts'
import { outcomes, type Outcome } from '../../src/model/outcome.ts'
import type { RunningScheduler } from '../../src/core/scheduler.ts'
import type { ClaimedTask } from '../../src/ports/lease.ts'
import type { TaskStore } from '../../src/ports/task-store.ts'

const sha = 'a'.repeat(40)
const baseSha = 'b'.repeat(40)

/**
 * Ends the tasks of a pool by hand, in the place of the pipeline: a prompt that begins with an outcome ends so, one
 * that begins with "wait" runs until it is cancelled.
 */
export function startHands(store: TaskStore, pool: string | null): RunningScheduler {
  const stop = new AbortController()
  const working = new Set<Promise<void>>()
  const life = { id: `hands-${pool}`, host: 'here', pid: 1, slots: 4, agents: [], accounts: [] }
  const loop = (async () => {
    while (!stop.signal.aborted) {
      const claimed = await store.claim({
        workerId: life.id,
        pool,
        agents: ['command'],
        lacking: [],
        accounts: [],
        runtimes: ['local'],
        machineId: 'machine-1',
      })
      if (claimed === null) await pause()
      else {
        const work = doByHand(claimed).finally(() => working.delete(work))
        working.add(work)
      }
    }
    await Promise.all(working)
  })()

  async function doByHand({ lease, task }: ClaimedTask): Promise<void> {
    await store.pin(lease, { base: 'main', sha: baseSha }, 'local')
    for (const step of ['prepare', 'agent'] as const) {
      await store.record(lease, [{ type: 'step.started', step, text: '', data: {} }])
    }
    await store.record(lease, [
      { type: 'output', step: 'agent', text: 'red \u001b[31mline\u001b[0m', data: {} },
    ])
    let outcome = outcomeIn(task.prompt)
    while (outcome === null) {
      const [beat] = await store.heartbeat(life, [lease])
      if (beat?.cancelRequested === true) outcome = 'cancelled'
      else await pause()
    }
    if (outcome === 'pushed') await store.intendPush(lease, { branch: task.branch, sha })
    const reason =
      outcome === 'pushed' || outcome === 'no_changes' ? null : `It ended ${outcome} \u001b[31mby hand.`
    await store.settle(
      lease,
      { outcome, reason, evidence: evidenceOf(outcome) },
      Buffer.from('diff \u001b[1m\n'),
    )
  }

  return {
    get running() {
      return working.size
    },
    drain() {
      stop.abort()
      return loop
    },
  }
}

function outcomeIn(prompt: string): Outcome | null {
  const [word] = prompt.split(/\s/)
  return outcomes.find((outcome) => outcome === word) ?? null
}

function evidenceOf(outcome: Outcome): Evidence {
  if (outcome !== 'pushed') return noEvidence()
  const facts = { headSha: sha, baseSha, confirmedAt: new Date().toISOString() }
  return {
    ...noEvidence(),
    ...facts,
    commits: 1,
    files: ['src/a.ts', 'b\u001b[2J.ts'],
    insertions: 3,
    deletions: 1,
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10))
}
