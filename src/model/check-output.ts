/** What one run of a check printed and how it ended. */
export interface CheckOutput {
  /** `null`: it did not end by itself. */
  readonly exitCode: number | null
  readonly lines: readonly string[]
  /** `false`: there were more lines than were kept. */
  readonly whole: boolean
}

/**
 * What fails on the head and not on the base, as lines to show; empty: all that fails there fails on the base too.
 * `null`: the outputs do not tell, so the failure counts as the work's.
 *
 * Where a test runner names its failures and says how many they are, names are compared. Elsewhere lines are, but for
 * what differs from run to run (numbers, times, temporary names), each as often as it stands there: five errors of a
 * kind are more than one.
 */
export function newFailures(base: CheckOutput, head: CheckOutput): readonly string[] | null {
  if (base.exitCode === 0) return null
  const [before, after] = [base.lines.map(plainLine), head.lines.map(plainLine)]
  if (!base.whole || !head.whole) return null
  const more = linesMore(before, after)
  const [known, failing] = [namedFailures(before), namedFailures(after)]
  const alike = base.exitCode === head.exitCode
  const comparable = alike && !more.some((line) => beyondTests.test(line))
  if (known !== null && failing !== null && comparable) return failing.filter((name) => !known.includes(name))
  // A run that broke off says less than one that only fails as before.
  const says = after.some((line) => line !== '') || before.every((line) => line === '')
  if (more.length === 0 && !(alike && says && (known === null || failing !== null))) return null
  return more
}

/** Lines that stand in the second more often than in the first, or tell of more errors. */
function linesMore(before: readonly string[], after: readonly string[]): string[] {
  const left = new Map<string, number>()
  const worst = new Map<string, number>()
  for (const line of before) {
    const key = keyOf(line)
    left.set(key, (left.get(key) ?? 0) + 1)
    worst.set(key, Math.max(worst.get(key) ?? 0, errorsIn(line)))
  }
  return after.filter((line) => {
    const key = keyOf(line)
    const rest = left.get(key) ?? 0
    left.set(key, rest - 1)
    return key !== '' && (rest <= 0 || errorsIn(line) > (worst.get(key) ?? 0))
  })
}

const counted = /(\d+)\s+(error|failure|failed|failing|problem|warning|issue|violation|offen[cs]e)s?\b/gi

/** How many errors a line of a summary tells of; 0: it is none. */
function errorsIn(line: string): number {
  return [...line.matchAll(counted)].reduce((sum, found) => sum + Number(found[1]), 0)
}

/** What makes a run fail beside the tests that it names: then the names are not all there is. */
const beyondTests =
  /error TS\d+|error\[E\d+\]|could not compile|build failed|Unhandled (?:Error|Rejection)|suite failed to run|coverage.*(?:threshold|not reached|not met)|INTERNALERROR|Segmentation fault|core dumped|panic:|SyntaxError/i

function plainLine(line: string): string {
  // oxlint-disable-next-line no-control-regex -- colours are what is removed
  return line.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '').trim()
}

function keyOf(line: string): string {
  return line
    .replace(counted, '# $2')
    .replace(/(?:\/private)?\/(?:var\/)?tmp\/[^\s:'")]+/g, '/tmp/#')
    .replace(/\b(?:0x)?[0-9a-f]{7,}\b/gi, '#')
    .replace(/\d+(?:[.,:]\d+)*\s*(?:ns|µs|us|ms|s|sec|secs|seconds|m|min)?\b/g, '#')
    .replace(/#(?:\s+#)+/g, '#')
}

/** How a test runner names what failed, and the sum of it. */
interface Runner {
  /** The first group is the name. */
  readonly failure: RegExp
  /** All groups together are the number of failures, on the last line that has it. */
  readonly sum: RegExp
}

const runners: readonly Runner[] = [
  // pytest, with its short summary.
  {
    failure: /^(?:FAILED|ERROR) ([^\s].*?)(?: - .*)?$/,
    sum: /^=+ (?:(\d+) failed)?[^=]*?(?:(\d+) errors?)?[^=]* in [\d.]+s.*=+$/,
  },
  // Python's unittest.
  { failure: /^(?:FAIL|ERROR): (.+)$/, sum: /^FAILED \((?:failures=(\d+))?(?:, )?(?:errors=(\d+))?.*\)$/ },
  // cargo test; it says so once for each program of tests.
  { failure: /^test (.+) \.\.\. FAILED$/, sum: /^test result: FAILED\..* (\d+) failed;/ },
  // node --test and all that speak TAP, at the outermost level or below.
  { failure: /^not ok \d+ -? ?(.*?)(?: # (?:time|duration).*)?$/, sum: /^# fail\s+(\d+)$/ },
  // node --test on a terminal.
  { failure: /^✖ (.+?)(?: \([\d.]+m?s\))$/, sum: /^ℹ fail (\d+)$/ },
  // vitest.
  { failure: /^FAIL {1,2}(\S.*)$/, sum: /^⎯+ Failed (?:Suites|Tests) (\d+) ⎯+$/ },
  // jest.
  { failure: /^● (.+ › .+)$/, sum: /^Tests: +(\d+) failed,/ },
]

/** Names of what failed, each once; `null`: no runner that is known, or its own sum is another. */
function namedFailures(lines: readonly string[]): readonly string[] | null {
  for (const { failure, sum } of runners) {
    const names = [...new Set(lines.flatMap((line) => failure.exec(line)?.[1] ?? []))]
    const sums = lines.flatMap((line) => {
      const found = sum.exec(line)
      return found === null ? [] : [found.slice(1).reduce((total, count) => total + Number(count ?? 0), 0)]
    })
    const total = sums.reduce((all, one) => all + one, 0)
    if (names.length > 0 && sums.length > 0 && total === names.length) return names
  }
  return goFailures(lines)
}

/** `go test` gives no sum; it names every package, and each package that fails names its tests or says why not. */
function goFailures(lines: readonly string[]): readonly string[] | null {
  const packages = lines.flatMap((line) => /^FAIL\t(\S+)\t[\d.]+s$/.exec(line)?.[1] ?? [])
  if (packages.length === 0 || lines.some((line) => /^FAIL\t.*\[/.test(line))) return null
  const names = lines.flatMap((line) => /^--- FAIL: (\S+)/.exec(line)?.[1] ?? [])
  return names.length < packages.length ? null : [...new Set([...packages, ...names])]
}
