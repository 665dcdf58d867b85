import type { NewTask } from '../model/task.ts'

/** Tasks in their order, but none before one of them that it needs: so they can be stored. Needs lead in no circle. */
export function inOrderOfNeeds(tasks: readonly NewTask[]): readonly NewTask[] {
  const waiting = new Map(tasks.map((task) => [task.id, task]))
  const ordered: NewTask[] = []
  const way: NewTask[] = []
  for (const start of tasks) {
    if (waiting.has(start.id)) way.push(start)
    for (let task = way.at(-1); task !== undefined; task = way.at(-1)) {
      const need = task.needs.find((id) => waiting.has(id))
      const next = need === undefined ? undefined : waiting.get(need)
      if (next !== undefined) way.push(next)
      else {
        way.pop()
        if (waiting.delete(task.id)) ordered.push(task)
      }
    }
  }
  return ordered
}
