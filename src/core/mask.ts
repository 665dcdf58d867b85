/** Shorter values would mask half of every log, and are no secrets worth the name. */
const minSecretLength = 8

/** Replaces every secret in a text, also where it stands percent-encoded, as in a URL. */
export interface Mask {
  (text: string): string
  /** These are secrets, too, from now on. */
  hide(secrets: readonly string[]): void
}

export function createMask(secrets: Readonly<Record<string, string>>): Mask {
  let hidden: readonly string[] = []
  const hide = (more: readonly string[]) => {
    const values = more
      .flatMap((value) => [value, encodeURIComponent(value)])
      .filter((value) => value.length >= minSecretLength)
    // The longest first: one may be a part of another.
    hidden = [...new Set([...hidden, ...values])].toSorted((a, b) => b.length - a.length)
  }
  hide(Object.values(secrets))
  const mask = (text: string) => hidden.reduce((masked, value) => masked.replaceAll(value, '***'), text)
  return Object.assign(mask, { hide })
}
