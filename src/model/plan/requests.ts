import { takesCommand } from '../lineup.ts'
import type { Plan, PlanOptions, PlanTask } from './plan.ts'

/** Options for all tasks of a run that whoever starts it gives: they take the place of the front matter's. */
export type RunDefaults = PlanOptions

/**
 * The body of `POST /tasks` that a task of a plan stands for, without `needs`. The task's own options go first, then
 * those that the run was started with, then the front matter's.
 */
export function requestOf(
  plan: Plan,
  task: PlanTask,
  repo: string,
  given: RunDefaults,
): Readonly<Record<string, unknown>> {
  const merged = layer(layer(plan.defaults, given), task.options)
  return { ...merged, repo, prompt: task.prompt }
}

/** A command implies its agent, and an agent that takes none does away with a command from further out. */
function layer(outer: PlanOptions, inner: PlanOptions): PlanOptions {
  const merged: Record<string, unknown> = { ...outer, ...inner }
  settle(merged, inner, 'agent', 'command')
  settle(merged, inner, 'reviewer', 'reviewCommand')
  settle(merged, inner, 'judge', 'judgeCommand')
  return merged
}

function settle(
  merged: Record<string, unknown>,
  inner: PlanOptions,
  agent: 'agent' | 'reviewer' | 'judge',
  command: 'command' | 'reviewCommand' | 'judgeCommand',
): void {
  if (inner[command] !== undefined && inner[agent] === undefined && !takesCommand(merged[agent])) {
    merged[agent] = 'command'
  }
  if (inner[agent] !== undefined && inner[command] === undefined && !takesCommand(inner[agent])) {
    delete merged[command]
  }
}

/** The line of a plan that a field of a task's request comes from. */
export function lineOfField(plan: Plan, task: PlanTask, field: string): number {
  const [name = ''] = field.split(/[.[]/)
  return (
    task.optionLines[name] ??
    (task.options[name as keyof PlanOptions] === undefined ? plan.defaultLines[name] : undefined) ??
    task.line
  )
}
