import { z } from 'zod'
import { nearest } from '../nearest.ts'

const unknown = 'is not a known key; known here: '

/** A mapping of the file: unknown keys are errors that name the known ones, so that no misspelt rule is ignored. */
export function section<const Shape extends z.core.$ZodShape>(shape: Shape) {
  const known = Object.keys(shape)
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? `${unknown}${known.join(', ')}` : undefined),
  })
}

/** What a section says of its unknown keys, for one of them: with the known one that it is likely meant to be. */
export function unknownKeyWords(message: string, key: string): string {
  const meant = message.startsWith(unknown) ? nearest(key, message.slice(unknown.length).split(', ')) : null
  return meant === null ? message : `${message}. Did you mean ${meant}?`
}
