import type { Problem } from '../ports/runtime.ts'
import { todoFor, type DaggerRuntime } from './dagger-runtime.ts'

/** What `doctor` looks at: one area an engine. */
export function engineExaminations(
  runtime: DaggerRuntime,
): { area: string; look: () => Promise<{ detail: string; problems: readonly Problem[] }> }[] {
  return runtime.engineNames.map((name) => ({
    area: `engine ${name}`,
    look: async () => {
      const report = (await runtime.lookAtEngines()).find(({ engine }) => engine === name)
      const fault = report === undefined ? 'it is not known' : report.fault
      const detail = `${report?.version ?? ''} answers, ${report?.slots ?? 0} slots`
      return { detail, problems: fault === null ? [] : [{ what: fault, todo: todoFor(fault) }] }
    },
  }))
}
