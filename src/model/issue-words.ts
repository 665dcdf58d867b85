import type { z } from 'zod'

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
}

/**
 * What is wrong with a value, as the end of a sentence that its name begins: `must be a number`. What a schema says of
 * its own accord goes before; `kindNames` names types as the reader knows them.
 */
export function issueWords(
  issue: z.core.$ZodIssue,
  kindNames: Readonly<Record<string, string>> = kinds,
): string {
  // What a schema says of its own begins otherwise.
  if (!/^(?:Invalid|Too small|Too big)/.test(issue.message)) return issue.message
  switch (issue.code) {
    case 'invalid_type':
      if (issue.message.endsWith('received undefined')) return 'is needed'
      return `must be ${kindNames[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}`
    case 'too_small':
      if (issue.minimum === 1 && ['string', 'array'].includes(issue.origin)) return 'must not be empty'
      return issue.inclusive === false
        ? `must be more than ${issue.minimum}`
        : `must be at least ${bound(issue.minimum, issue.origin)}`
    case 'too_big':
      return issue.inclusive === false
        ? `must be less than ${issue.maximum}`
        : `must be at most ${bound(issue.maximum, issue.origin)}`
    default:
      return issue.message
  }
}

function bound(limit: number | bigint, origin: string): string {
  if (origin === 'string') return `${limit} characters long`
  return origin === 'array' ? `${limit} entries long` : String(limit)
}

/** The name of a place in a value, such as `checks[0].run`; '': the value itself. */
export function pathName(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (name, part) =>
      typeof part === 'number' ? `${name}[${part}]` : name === '' ? String(part) : `${name}.${String(part)}`,
    '',
  )
}
