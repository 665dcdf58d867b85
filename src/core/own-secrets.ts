import type { SecretScanner } from '../ports/secret-scanner.ts'

const kind = 'a key or login of Nightshift itself'

/** Finds, beside what looks like a secret, what is known to be one: whatever the mask hides. */
export function withOwnSecrets(scan: SecretScanner, mask: (text: string) => string): SecretScanner {
  return async (name, text) => {
    const found = await scan(name, text)
    if (mask(text) === text) return found
    const lines = text.split('\n').flatMap((line, index) => (mask(line) === line ? [] : [index + 1]))
    return [...found, ...lines.map((line) => ({ kind, line, text: '' }))]
  }
}
