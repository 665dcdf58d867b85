import { ImageUnusable, type Sandbox, type SandboxSpec } from '../../ports/runtime.ts'
import { inStep, type Attempt } from '../attempt.ts'
import { Stop } from '../reasons.ts'

type SpecOfStep = Pick<SandboxSpec, 'purpose' | 'image' | 'program' | 'source'>

/** Opens a sandbox of the attempt, as its step `clone`. */
export function cloneSandbox(attempt: Attempt, spec: SpecOfStep): Promise<Sandbox> {
  return inStep(attempt, 'clone', () => openSandbox(attempt, spec))
}

/** Opens a sandbox of the attempt. Throws {@link Stop} where its image cannot be used. */
export async function openSandbox(
  { parts, claimed, runtime, signal }: Attempt,
  spec: SpecOfStep,
): Promise<Sandbox> {
  const { taskId, attempt } = claimed.lease
  try {
    return await runtime.open({ taskId, attempt, limits: parts.limits, ...spec }, signal)
  } catch (error) {
    if (error instanceof ImageUnusable) throw new Stop({ kind: 'image_unusable', message: error.message })
    throw error
  }
}
