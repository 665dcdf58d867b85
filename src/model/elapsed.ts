/** Milliseconds as people read them at a glance: `7.3s`, `4m12s`, `3h05m`, `2d04h`. */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, ms) / 1000
  if (seconds < 10) return `${seconds.toFixed(1)}s`
  if (seconds < 60) return `${Math.floor(seconds)}s`
  if (seconds < 3600) return pair(seconds, 60, 'm', 's')
  if (seconds < 86_400) return pair(seconds / 60, 60, 'h', 'm')
  return pair(seconds / 3600, 24, 'd', 'h')
}

function pair(small: number, perLarge: number, largeUnit: string, smallUnit: string): string {
  const rest = String(Math.floor(small % perLarge)).padStart(2, '0')
  return `${Math.floor(small / perLarge)}${largeUnit}${rest}${smallUnit}`
}
