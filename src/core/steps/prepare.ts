import type { CloneSource } from '../../ports/runtime.ts'
import { inStep, type Attempt } from '../attempt.ts'
import { persist } from '../persist.ts'
import { firstPin } from './base.ts'

/** Asks the remote for the base and pins it for all attempts; brings the mirror to have it. */
export function prepare(attempt: Attempt): Promise<CloneSource> {
  return inStep(attempt, 'prepare', async () => {
    const { parts, claimed, journal } = attempt
    const { task, lease } = claimed
    const pinned = claimed.pinned ?? (await firstPin(attempt))
    attempt.evidence = { ...attempt.evidence, baseSha: pinned.sha }
    await persist(parts, () => parts.store.pin(lease, pinned, attempt.runtime.name))
    journal.note('prepare', `base ${pinned.base} is pinned at ${pinned.sha}`, { ...pinned })
    const mirror = await parts.publisher.mirror(task.repo, pinned.sha, pinned.base)
    return { repo: task.repo, sha: pinned.sha, branch: task.branch, mirror, work: null }
  })
}
