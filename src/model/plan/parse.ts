import { needsFaults } from './needs.ts'
import { readOptions } from './options.ts'
import { outlineOf, type Outline, type OutlinedTask } from './outline.ts'
import {
  maxPlanBytes,
  maxPlanTasks,
  type Plan,
  type PlanBatch,
  type PlanFault,
  type PlanOptions,
  type PlanTask,
} from './plan.ts'
import { warningsOf } from './warnings.ts'

export type ParsedPlan =
  | { readonly ok: true; readonly plan: Plan; readonly warnings: readonly PlanFault[] }
  /** In the order of their lines. */
  | { readonly ok: false; readonly faults: readonly PlanFault[] }

/** Reads a plan: Markdown with any line ends. Never throws, whatever the text is. */
export function parsePlan(text: string): ParsedPlan {
  const source = text.replace(/^\ufeff/, '').replaceAll(/\r\n?/g, '\n')
  const unusable = unusableText(source)
  if (unusable !== null) return { ok: false, faults: [unusable] }
  const outline = outlineOf(source)
  const faults: PlanFault[] = [...outline.faults]
  const front = readOptions(outline.frontMatter, 'front matter')
  if (isFaults(front)) faults.push(...front)
  const batches = outline.batches.map((batch): PlanBatch => {
    return { ...batch, tasks: batch.tasks.map((task) => readTask(task, faults)) }
  })
  faults.push(...batchFaults(outline), ...needsFaults(batches), ...branchFaults(batches, front))
  const count = batches.reduce((sum, batch) => sum + batch.tasks.length, 0)
  if (count === 0 && faults.length === 0) {
    faults.push({
      line: 1,
      column: 1,
      message: 'the plan has no task: write ## Batch 1: Title, and ### Task 1.1: Title below it',
    })
  }
  if (count > maxPlanTasks) {
    faults.push({
      line: 1,
      column: 1,
      message: `the plan has ${count} tasks; at most ${maxPlanTasks} are taken`,
    })
  }
  if (faults.length > 0 || isFaults(front)) {
    return { ok: false, faults: faults.toSorted((a, b) => a.line - b.line || a.column - b.column) }
  }
  const { repo, ...defaults } = front.values
  const plan: Plan = {
    title: outline.title,
    repo: typeof repo === 'string' ? repo : null,
    defaults: defaults as PlanOptions,
    defaultLines: front.lines,
    batches: batches.filter((batch) => batch.tasks.length > 0),
  }
  return { ok: true, plan, warnings: warningsOf(plan, batches, outline.warnings) }
}

// Reading quotations within quotations takes time by the square of their depth.
const tooDeep = /^(?:[ \t]*>){50}/m

function unusableText(source: string): PlanFault | null {
  if (Buffer.byteLength(source) > maxPlanBytes) {
    return { line: 1, column: 1, message: `the plan is larger than ${maxPlanBytes / 1024} KB: split it` }
  }
  const bad = source.search(/[\0\ufffd]/)
  if (bad >= 0) return faultAt(source, bad, 'the plan is not plain UTF-8 text: save it as such')
  const deep = source.search(tooDeep)
  return deep < 0 ? null : faultAt(source, deep, 'quotations are nested too deeply here')
}

function faultAt(source: string, offset: number, message: string): PlanFault {
  const before = source.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, message }
}

function readTask(task: OutlinedTask, faults: PlanFault[]): PlanTask {
  const read = readOptions(task.options, 'task')
  const { id, title, line, body } = task
  const prompt = body === '' ? title : `${title}\n\n${body}`
  if (isFaults(read)) {
    faults.push(...read.map((fault) => ({ ...fault, message: `task ${id}: ${fault.message}` })))
    return { id, title, prompt, options: {}, needs: [], line, optionLines: {} }
  }
  const { needs, ...options } = read.values
  return {
    id,
    title,
    prompt,
    options: options as PlanOptions,
    needs: Array.isArray(needs) ? [...new Set(needs as string[])] : [],
    line,
    optionLines: read.lines,
  }
}

function batchFaults({ batches }: Outline): PlanFault[] {
  const seen = new Map<string, number>()
  return batches.flatMap(({ id, line }) => {
    const other = seen.get(id)
    seen.set(id, other ?? line)
    if (other === undefined) return []
    return [{ line, column: 1, message: `there are two batches ${id}: the other is on line ${other}` }]
  })
}

/** Two tasks on one branch would overwrite each other. */
function branchFaults(
  batches: readonly PlanBatch[],
  front: ReturnType<typeof readOptions>,
): readonly PlanFault[] {
  const faults: PlanFault[] = []
  if (!isFaults(front) && front.values['branch'] !== undefined) {
    const line = front.lines['branch'] ?? 1
    faults.push({
      line,
      column: 1,
      message: 'branch: each task has a branch of its own: put it under a task',
    })
  }
  const seen = new Map<unknown, string>()
  for (const task of batches.flatMap((batch) => batch.tasks)) {
    const { branch } = task.options
    if (branch === undefined) continue
    const other = seen.get(branch)
    if (other === undefined) seen.set(branch, task.id)
    else {
      const line = task.optionLines['branch'] ?? task.line
      faults.push({
        line,
        column: 1,
        message: `branch: task ${task.id}: is the branch of task ${other}, too`,
      })
    }
  }
  return faults
}

function isFaults(read: ReturnType<typeof readOptions>): read is readonly PlanFault[] {
  return Array.isArray(read)
}
