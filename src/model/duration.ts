import { z } from 'zod'

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Milliseconds of `45m`, `90s`, `1h30m`, `500ms`; `null` where the text is none of these. */
export function parseDuration(text: string): number | null {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text)) return null
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * unitMs[unit as keyof typeof unitMs]
  }
  return total
}

/** The shortest exact way to write a number of milliseconds: `1h30m`, `45m`, `1.5s`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`
  if (ms < 60_000) return `${Math.round(ms / 100) / 10}s`
  const seconds = Math.round(ms / 1000)
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const
  return parts
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join('')
}

/** A duration as people write it, between two bounds; the parsed value is in milliseconds. */
export function durationSchema(bounds: { minMs: number; maxMs: number }) {
  const range = `between ${formatDuration(bounds.minMs)} and ${formatDuration(bounds.maxMs)}`
  return z
    .string()
    .transform((text, context) => {
      const ms = parseDuration(text)
      if (ms !== null && ms >= bounds.minMs && ms <= bounds.maxMs) return ms
      context.addIssue(`must be a duration ${range}, written like 90s, 45m or 1h30m`)
      return z.NEVER
    })
    .meta({ description: `A duration ${range}, written like 90s, 45m or 1h30m.` })
}
