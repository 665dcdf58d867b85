import type { RepositoryRules } from './steps/repository-file.ts'
import type { Work } from '../ports/publisher.ts'
import type { CloneSource } from '../ports/runtime.ts'
import type { Ending } from '../ports/task-store.ts'
import type { Attempt } from './attempt.ts'
import { Stop, outcomeOf } from './reasons.ts'
import { gate, type Findings } from './steps/gate.ts'
import { receive } from './steps/hand-over.ts'
import { prepare } from './steps/prepare.ts'
import { publish } from './steps/publish.ts'
import { readRules } from './steps/repository-file.ts'
import { Workshop } from './steps/workshop.ts'

/**
 * The way of one task, top to bottom, as one promise. Resolves only with a good outcome that is proven; every other
 * end is an error: {@link Stop} for the task's own, Interruption for one from outside, anything else for the machinery.
 */
export async function runPipeline(attempt: Attempt): Promise<Ending> {
  const source = await prepare(attempt)
  const rules = await readRules(attempt, source)
  const workshop = new Workshop(attempt, source, rules)
  try {
    const work = await workThatHolds(attempt, source, rules, workshop)
    if (work === null) return noChanges(attempt)
    // Nobody needs the sandbox any more: it is removed while the remote is talked to.
    const closing = workshop.close()
    closing.catch(() => {})
    await publish(attempt, work)
    await closing
    return { outcome: 'pushed', reason: null, evidence: attempt.evidence }
  } finally {
    await workshop.close()
  }
}

/** The agent's work and its fix rounds, until the gate finds nothing more. `null`: nothing differs from the base. */
async function workThatHolds(
  attempt: Attempt,
  source: CloneSource,
  rules: RepositoryRules,
  workshop: Workshop,
): Promise<Work | null> {
  let work = await receive(attempt, source, workshop, { round: 0, findings: null })
  for (let round = 1; work !== null; round += 1) {
    const findings = await gate(attempt, source, rules, work)
    if (findings === null) return work
    if (round > rules.file.fixRounds) throw new Stop(findings.reason)
    work = await fix(attempt, source, workshop, round, findings)
  }
  return null
}

async function fix(
  attempt: Attempt,
  source: CloneSource,
  workshop: Workshop,
  round: number,
  findings: Findings,
): Promise<Work | null> {
  try {
    return await receive(attempt, source, workshop, { round, findings: findings.words })
  } catch (error) {
    // An agent that fails at mending has not mended: what it was told is why the work is not taken.
    if (error instanceof Stop && outcomeOf(error.reason) === 'agent_failed') throw new Stop(findings.reason)
    throw error
  }
}

function noChanges(attempt: Attempt): Ending {
  if (attempt.claimed.options.requireChanges) throw new Stop({ kind: 'nothing_changed' })
  return {
    outcome: 'no_changes',
    reason: 'The agent ended well, and nothing differs from the base.',
    evidence: attempt.evidence,
  }
}
