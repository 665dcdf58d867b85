type Headers = Readonly<Record<string, string>>

/** Milliseconds of `retry-after-ms` or `retry-after`, in seconds or as a date; `null`: neither is there. */
export function retryAfter(headers: Headers): number | null {
  const ms = Number(headers['retry-after-ms'])
  if (headers['retry-after-ms'] !== undefined && Number.isFinite(ms) && ms >= 0) return ms
  const value = headers['retry-after']
  if (value === undefined) return null
  const seconds = Number(value)
  if (Number.isFinite(seconds) && seconds >= 0) return seconds * 1000
  return until(Date.parse(value), headers)
}

/**
 * Milliseconds until a time that a provider named, in milliseconds since 1970: by the provider's own clock where its
 * answer tells it, since ours may be wrong. `null`: it is no time.
 */
export function until(timeMs: number, headers: Headers): number | null {
  if (!Number.isFinite(timeMs) || timeMs <= 0) return null
  const theirs = Date.parse(headers['date'] ?? '')
  return Math.max(0, timeMs - (Number.isFinite(theirs) ? theirs : Date.now()))
}

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** Milliseconds of `1.2s`, `120ms`, `6m0s`, `1h2m3s`; `null`: it is no such duration. */
export function parseWait(value: string): number | null {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/.test(value)) return null
  let total = 0
  for (const [, number, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) {
    total += Number(number) * (unitMs[unit ?? ''] ?? 0)
  }
  return total
}

/** Milliseconds of `try again in 8.5s` or `retry in 35.2s`, wherever it stands in a sentence. */
export function waitInWords(sentence: string): number | null {
  const found = /(?:try again|retry) in ((?:\d+(?:\.\d+)?(?:ms|[smhd]))+)/i.exec(sentence)?.[1]
  return found === undefined ? null : parseWait(found)
}

/** The longest of several waits; `null`: there is none. */
export function longest(waits: readonly (number | null)[]): number | null {
  const known = waits.filter((wait) => wait !== null)
  return known.length === 0 ? null : Math.max(...known)
}

/** Milliseconds until midnight in a time zone, but for the hour that a clock may be put forward or back by then. */
export function untilMidnight(timeZone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const parts = new Map(format.formatToParts(new Date()).map(({ type, value }) => [type, Number(value)]))
  const seconds =
    (parts.get('hour') ?? 0) * 3600 + (parts.get('minute') ?? 0) * 60 + (parts.get('second') ?? 0)
  return (86_400 - seconds) * 1000
}
