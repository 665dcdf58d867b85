/** A text as PostgreSQL can hold it: no NUL, no half of a surrogate pair. They become U+FFFD. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd')
}

/** JSON for a jsonb column: its texts and keys made storable. */
export function storableJson(value: unknown): string {
  return JSON.stringify(clean(value))
}

function clean(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(clean)
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [storableText(key), clean(part)]))
}
