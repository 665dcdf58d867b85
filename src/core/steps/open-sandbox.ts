import { ImageUnusable, type Sandbox, type SandboxSpec } from '../../ports/runtime.ts'
import { inStep, type Attempt } from '../attempt.ts'
import { Stop } from '../reasons.ts'

/** Opens a sandbox of the attempt, as its step `clone`. */
export function openSandbox(
  attempt: Attempt,
  spec: Pick<SandboxSpec, 'purpose' | 'image' | 'source'>,
): Promise<Sandbox> {
  const { parts, claimed, runtime, signal } = attempt
  const { taskId, attempt: number } = claimed.lease
  return inStep(attempt, 'clone', async () => {
    try {
      return await runtime.open({ taskId, attempt: number, limits: parts.limits, ...spec }, signal)
    } catch (error) {
      if (error instanceof ImageUnusable) throw new Stop({ kind: 'image_unusable', message: error.message })
      throw error
    }
  })
}
