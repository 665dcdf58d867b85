import type { Plan, PlanBatch, PlanFault } from './plan.ts'

/** What is allowed, but perhaps not meant; in the order of the lines. `batches`: also those without a task. */
export function warningsOf(
  plan: Plan,
  batches: readonly PlanBatch[],
  more: readonly PlanFault[],
): readonly PlanFault[] {
  const warnings: PlanFault[] = [...more]
  for (const batch of batches) {
    if (batch.tasks.length === 0) {
      warnings.push({ line: batch.line, column: 1, message: `batch ${batch.id} has no task` })
    }
  }
  for (const [index, batch] of plan.batches.entries()) {
    const before = plan.batches[index - 1]
    if (before === undefined || batch.tasks.some((task) => task.needs.length > 0)) continue
    const merges = plan.batches.slice(0, index).some((earlier) => mergesAny(plan, earlier))
    const message = merges
      ? `batch ${batch.id} has no needs: it starts from what is merged by then, also where batch ${before.id} failed`
      : `batch ${batch.id} has no needs: since nothing is merged, it starts from the base, without what batch ${before.id} made`
    warnings.push({ line: batch.line, column: 1, message })
  }
  return warnings.toSorted((a, b) => a.line - b.line)
}

function mergesAny(plan: Plan, batch: PlanBatch): boolean {
  return batch.tasks.some((task) => {
    const merge = task.options.merge ?? plan.defaults.merge ?? 'never'
    return merge !== 'never'
  })
}
