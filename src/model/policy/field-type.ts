import { z } from 'zod'
import { isDate, isDateFormat } from './date-format.ts'

/** What a field of a front matter may hold, by the name of its type. */
const types = {
  string: 'text (put it in quotes if it looks like a number)',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  list: 'a list',
} as const

type TypeName = keyof typeof types

/** How `.nightshift.yaml` names a field's type: one of the types, a date format, or the values that it may have. */
export const fieldTypeSchema = z
  .union([
    z.string(),
    z
      .array(z.union([z.string(), z.number(), z.boolean()]))
      .min(1)
      .max(100),
  ])
  .superRefine((type, context) => {
    if (typeof type !== 'string' || isTypeName(type) || isDateFormat(type)) return
    const names = Object.keys(types).join(', ')
    context.addIssue(
      `${JSON.stringify(type)} is no type: write ${names}, a date format like "YYYY-MM-DD HH:MM", or a list of values`,
    )
  })
  .meta({
    description:
      'string, number, integer, boolean, list, a date format like "YYYY-MM-DD HH:MM", or a list of values.',
  })
export type FieldType = z.output<typeof fieldTypeSchema>

/** What the field must be, in words; `null`: the value is so. Dates are judged as they are written. */
export function fieldFault(type: FieldType, value: unknown, written: string): string | null {
  if (typeof type !== 'string') {
    const fits = type.some((allowed) => allowed === value)
    return fits ? null : `one of ${type.join(', ')}`
  }
  if (!isTypeName(type)) return isDate(type, written) ? null : `a date written as ${type}`
  return hasType(type, value) ? null : types[type]
}

function hasType(type: TypeName, value: unknown): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string' && value.trim() !== ''
    case 'number':
      return typeof value === 'number' && Number.isFinite(value)
    case 'integer':
      return Number.isSafeInteger(value)
    case 'boolean':
      return typeof value === 'boolean'
    case 'list':
      return Array.isArray(value)
    default:
      return type satisfies never
  }
}

function isTypeName(text: string): text is TypeName {
  return Object.hasOwn(types, text)
}
