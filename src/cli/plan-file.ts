import { readFile, stat } from 'node:fs/promises'
import { fileFault } from '../model/file-fault.ts'
import { parsePlan } from '../model/plan/parse.ts'
import { maxPlanBytes, type Plan, type PlanFault } from '../model/plan/plan.ts'
import { UsageError } from './command-failure.ts'

/** A plan that was read from a file of this machine. */
export interface PlanFile {
  readonly file: string
  readonly plan: Plan
  readonly warnings: readonly PlanFault[]
}

/** Reads and checks a plan. Throws {@link UsageError}, one line a fault, with file, line and column. */
export async function readPlanFile(file: string): Promise<PlanFile> {
  const parsed = parsePlan(await readText(file))
  if (parsed.ok) return { file, plan: parsed.plan, warnings: parsed.warnings }
  throw planFaulty(file, parsed.faults)
}

/** The faults of a plan, for people and for `--json`. */
export function planFaulty(file: string, faults: readonly PlanFault[]): UsageError {
  return new UsageError(faults.map((fault) => planLine(file, fault)).join('\n'), {
    facts: { faults: faults.map((fault) => ({ file, ...fault })) },
  })
}

export function planLine(file: string, { line, column, message }: PlanFault): string {
  return `${file}:${line}:${column}: ${message}`
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file)
    if (size > maxPlanBytes)
      throw new Error(`a plan has at most ${maxPlanBytes} bytes, this file has ${size}`)
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(await readFile(file))
  } catch (error) {
    throw new UsageError(`${file}: ${fileFault(error)}`, { cause: error })
  }
}
