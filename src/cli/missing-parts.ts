import type { DoctorEntry } from '../core/system.ts'

/**
 * What of a machine keeps tasks from running: database, git, the runtime asked for (any one, where none is), the
 * agents asked for.
 */
export function missingParts(
  entries: readonly DoctorEntry[],
  wants: { runtime: string | undefined; agents: readonly string[] },
): DoctorEntry[] {
  const runtimes = entries.filter((entry) => entry.area.startsWith('runtime '))
  const wanted = wants.runtime === undefined || wants.runtime === 'auto' ? null : `runtime ${wants.runtime}`
  const anyRuntime = runtimes.some((entry) => entry.ok)
  return entries.filter((entry) => {
    if (entry.ok) return false
    if (entry.area === 'database' || entry.area === 'git') return true
    if (entry.area.startsWith('runtime ')) return wanted === null ? !anyRuntime : entry.area === wanted
    return wants.agents.some((agent) => entry.area === `agent ${agent}`)
  })
}

/** Missing parts as lines, each with what to type. */
export function missingLines(missing: readonly DoctorEntry[]): string {
  return missing
    .map(({ area, detail, todo }) => `${area}: ${detail}${todo === null ? '' : `; to mend it: ${todo}`}`)
    .join('\n')
}

/** Which runtimes work here, as a clause. */
export function runtimeClause(entries: readonly DoctorEntry[]): string {
  const names = entries
    .filter((entry) => entry.ok && entry.area.startsWith('runtime '))
    .map((entry) => entry.area)
  return names.length === 0 ? 'no runtime works here: see nightshift doctor' : `${names.join(' and ')} works`
}
