import { monotonicFactory } from 'ulid'
import type { NewEvent } from '../../src/model/event.ts'
import { noEvidence, type Evidence } from '../../src/model/evidence.ts'
import { defaultTaskOptions, type NewTask } from '../../src/model/task.ts'
import type { Ending } from '../../src/ports/lease.ts'
import type { TaskStore } from '../../src/ports/task-store.ts'
import type { WorkerAbilities } from '../../src/ports/worker.ts'

// In the order in which they are made, also within one millisecond.
const nextId = monotonicFactory()

/** A task that any worker of {@link worker} can do, other than what is given. */
export function newTask(changes: Partial<NewTask> = {}): NewTask {
  const id = nextId()
  return {
    id,
    repo: 'https://git.example.org/one.git',
    base: null,
    branch: `nightshift/${id.slice(-8).toLowerCase()}`,
    prompt: 'Do it',
    agent: 'command',
    runtime: 'auto',
    priority: 0,
    needs: [],
    paths: [],
    retryOf: null,
    place: null,
    options: { ...defaultTaskOptions, command: 'true', timeoutMs: 60_000, silenceMs: 60_000 },
    ...changes,
  }
}

export function worker(changes: Partial<WorkerAbilities> = {}): WorkerAbilities {
  return {
    workerId: 'worker-1',
    pool: null,
    agents: ['command'],
    lacking: [],
    accounts: [],
    runtimes: ['local'],
    machineId: 'machine-1',
    ...changes,
  }
}

export const shared = { pool: null, machineId: 'machine-1' } as const

/** Stores tasks in the shared pool; answers their ids. */
export async function submitAll(store: TaskStore, tasks: readonly NewTask[]): Promise<readonly string[]> {
  const answer = await store.submit(tasks, shared)
  if (!answer.accepted) throw new Error(`refused: ${JSON.stringify(answer.refusal)}`)
  return answer.tasks.map((task) => task.id)
}

export function sha(digit: string): string {
  return digit.repeat(40)
}

export function confirmed(headSha: string): Evidence {
  return { ...noEvidence(), baseSha: sha('0'), headSha, confirmedAt: '2026-01-02T03:04:05.000Z', commits: 1 }
}

export function ending(outcome: Ending['outcome'], changes: Partial<Ending> = {}): Ending {
  return { outcome, reason: null, evidence: noEvidence(), ...changes }
}

export function output(text: string): NewEvent {
  return { type: 'output', step: 'agent', text, data: {} }
}
