import type { Ending } from '../ports/task-store.ts'
import type { Attempt } from './attempt.ts'
import { Stop } from './reasons.ts'
import { gate, type Findings } from './steps/gate.ts'
import { prepare } from './steps/prepare.ts'
import { publish } from './steps/publish.ts'
import { readRules } from './steps/repository-file.ts'
import { receive } from './steps/hand-over.ts'
import { Workshop } from './steps/workshop.ts'
import type { Work } from '../ports/publisher.ts'

/**
 * The way of one task, top to bottom, as one promise. Resolves only with a good outcome that is proven; every other
 * end is an error: {@link Stop} for the task's own, Interruption for one from outside, anything else for the machinery.
 */
export async function runPipeline(attempt: Attempt): Promise<Ending> {
  const source = await prepare(attempt)
  const rules = await readRules(attempt, source)
  const workshop = new Workshop(attempt, source, rules.file)
  try {
    let findings: Findings | null = null
    let work: Work | null
    for (let round = 0; ; round += 1) {
      work = await receive(attempt, source, workshop, { round, findings: findings?.words ?? null })
      if (work === null) return noChanges(attempt)
      findings = await gate(attempt, source, rules, work)
      if (findings === null) break
      if (round >= rules.file.fixRounds) throw new Stop(findings.reason)
    }
    await publish(attempt, work)
    return { outcome: 'pushed', reason: null, evidence: attempt.evidence }
  } finally {
    await workshop.close()
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
