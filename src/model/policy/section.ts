import { z } from 'zod'

/** A mapping of the file: unknown keys are errors that name the known ones, so that no misspelt rule is ignored. */
export function section<const Shape extends z.core.$ZodShape>(shape: Shape) {
  const known = Object.keys(shape)
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? `is not a known key; known here: ${known.join(', ')}` : undefined,
  })
}
