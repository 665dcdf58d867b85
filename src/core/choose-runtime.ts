import type { RuntimeName } from '../model/submission.ts'
import type { Runtime } from '../ports/runtime.ts'

/**
 * The runtime that a task gets: the one it asks for, or, for `auto`, the first that works now. Where none works it is the
 * last, which then says what is missing. `undefined`: what it asks for is not here at all.
 */
export async function chooseRuntime(
  runtimes: readonly Runtime[],
  asked: RuntimeName | 'auto',
): Promise<Runtime | undefined> {
  if (asked !== 'auto') return runtimes.find((runtime) => runtime.name === asked)
  for (const runtime of runtimes.slice(0, -1)) {
    if ((await runtime.problems()).length === 0) return runtime
  }
  return runtimes.at(-1)
}

/** Which runtime `auto` takes now, and why, as a clause for people. */
export async function explainChoice(
  runtimes: readonly Runtime[],
  asked: RuntimeName | 'auto',
): Promise<string> {
  const chosen = await chooseRuntime(runtimes, asked)
  if (chosen === undefined) return `${asked}, which is not set up here`
  if (asked !== 'auto') return `${chosen.name}, as asked for`
  const passedOver: string[] = []
  for (const runtime of runtimes.slice(0, runtimes.indexOf(chosen))) {
    const [problem] = await runtime.problems()
    passedOver.push(`${runtime.name} does not work: ${problem?.what ?? 'it did not a moment ago'}`)
  }
  if (passedOver.length > 0) return `${chosen.name}, since ${passedOver.join('; ')}`
  if (chosen.name === 'dagger') return 'dagger, since an engine answers'
  return 'local, since no Dagger engine is set'
}
