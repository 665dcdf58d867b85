import type { PlanBatch, PlanFault, PlanTask } from './plan.ts'

/** What is wrong with the ids and the needs of a plan's tasks. */
export function needsFaults(batches: readonly PlanBatch[]): PlanFault[] {
  const places = new Map<string, { task: PlanTask; batch: number }>()
  const faults: PlanFault[] = []
  for (const [number, batch] of batches.entries()) {
    for (const task of batch.tasks) {
      const other = places.get(task.id)
      if (other === undefined) places.set(task.id, { task, batch: number })
      else
        faults.push(at(task.line, `there are two tasks ${task.id}: the other is on line ${other.task.line}`))
    }
  }
  for (const [number, batch] of batches.entries()) {
    for (const task of batch.tasks) {
      for (const need of task.needs) {
        const place = places.get(need)
        if (place === undefined) faults.push(needFault(task, `there is no task ${need} in this plan`))
        else if (place.batch > number) {
          faults.push(
            needFault(task, `${need} stands in a later batch, which starts only when this one has ended`),
          )
        }
      }
    }
  }
  for (const cycle of cycles(batches, places)) {
    const [first] = cycle
    if (first === undefined) continue
    const way = [...cycle, first].map((task) => task.id).join(' → ')
    faults.push(needFault(first, cycle.length === 1 ? `${first.id} needs itself` : `is a circle: ${way}`))
  }
  return faults
}

function needFault(task: PlanTask, message: string): PlanFault {
  return at(task.optionLines['needs'] ?? task.line, `needs: task ${task.id}: ${message}`)
}

function at(line: number, message: string): PlanFault {
  return { line, column: 1, message }
}

/** Circles of needs, each once. Walks without recursion: a chain may be as long as the plan. */
function cycles(
  batches: readonly PlanBatch[],
  places: ReadonlyMap<string, { task: PlanTask }>,
): readonly (readonly PlanTask[])[] {
  const found: PlanTask[][] = []
  const done = new Set<string>()
  for (const start of batches.flatMap((batch) => batch.tasks)) {
    if (done.has(start.id)) continue
    const way = [{ task: start, next: 0 }]
    const onWay = new Set([start.id])
    for (let here = way.at(-1); here !== undefined; here = way.at(-1)) {
      const need = here.task.needs[here.next]
      here.next += 1
      if (need === undefined) {
        done.add(here.task.id)
        onWay.delete(here.task.id)
        way.pop()
        continue
      }
      const task = places.get(need)?.task
      if (task === undefined || done.has(need)) continue
      if (onWay.has(need)) {
        const from = way.findIndex((step) => step.task.id === need)
        found.push(way.slice(from).map((step) => step.task))
      } else {
        way.push({ task, next: 0 })
        onWay.add(need)
      }
    }
  }
  return found
}
