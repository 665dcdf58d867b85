import type { RuntimeName } from '../model/submission.ts'
import type { Problem } from '../ports/runtime.ts'
import type { DoctorEntry } from './system.ts'

/** One area to look at: answers what it found, or rejects. */
export interface Examination {
  readonly area: string
  /** Nightshift works without it, too. */
  readonly optional?: boolean
  /** `runtime`: where work is to be done. */
  readonly look: (runtime: RuntimeName) => Promise<{ detail: string; problems: readonly Problem[] }>
}

/** Looks at every area; a look that fails is a finding too. Never throws. */
export async function examine(
  examinations: readonly Examination[],
  runtime: RuntimeName,
): Promise<DoctorEntry[]> {
  const found = await Promise.all(examinations.map((one) => examineOne(one, runtime)))
  return found.flat()
}

async function examineOne(
  { area, look, optional = false }: Examination,
  runtime: RuntimeName,
): Promise<DoctorEntry[]> {
  try {
    const { detail, problems } = await look(runtime)
    if (problems.length === 0) return [{ area, ok: true, detail, todo: null, optional }]
    return problems.map((problem) => ({
      area,
      ok: false,
      detail: problem.what,
      todo: problem.todo,
      optional,
    }))
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return [{ area, ok: false, detail, todo: null, optional }]
  }
}
