/** Shorter values would mask half of every log, and are no secrets worth the name. */
const minSecretLength = 8

/** Replaces every secret in a text, also where it stands percent-encoded, as in a URL. */
export function createMask(secrets: Readonly<Record<string, string>>): (text: string) => string {
  const values = Object.values(secrets)
    .flatMap((value) => [value, encodeURIComponent(value)])
    .filter((value) => value.length >= minSecretLength)
    .toSorted((a, b) => b.length - a.length)
  const unique = [...new Set(values)]
  return (text) => unique.reduce((masked, value) => masked.replaceAll(value, '***'), text)
}
