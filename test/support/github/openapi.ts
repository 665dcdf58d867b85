import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'

/*
 * The parts of GitHub's own OpenAPI description that the stand-in needs, as npm `@octokit/openapi` 23.0.2 has them in
 * `api.github.com.json` (MIT): the bodies of requests and of good answers. It does not judge refusals.
 */

interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly nullable?: boolean
  readonly enum?: readonly unknown[]
  readonly format?: string
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
}

interface Parts {
  readonly operations: Readonly<
    Record<string, { readonly request?: Schema; readonly responses: Readonly<Record<string, Schema | null>> }>
  >
  readonly schemas: Readonly<Record<string, Schema>>
}

const parts = JSON.parse(readFileSync(new URL('openapi-parts.json', import.meta.url), 'utf8')) as Parts

// As in OpenAPI 3.0, `nullable` allows null: ajv knows the word. Formats are not judged.
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, discriminator: false })
ajv.addSchema({ $id: 'github', schemas: withNull(parts.schemas) })
const validators = new Map<string, ReturnType<typeof ajv.compile>>()

/** What is wrong with the body of a request or of a good answer; empty: nothing. An operation that is not known throws. */
export function faultsOf(operation: string, part: 'request' | number, body: unknown): string[] {
  const known = parts.operations[operation]
  if (known === undefined) throw new Error(`${operation} is not among the operations of openapi-parts.json`)
  const schema = part === 'request' ? known.request : known.responses[String(part)]
  if (schema === undefined) return part === 'request' ? [] : [`${operation} does not answer ${part}`]
  if (schema === null) return []
  const key = `${operation} ${part}`
  const validate = validators.get(key) ?? ajv.compile(inGithub(schema))
  validators.set(key, validate)
  if (validate(body)) return []
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ''}`)
}

// A list of values does not hold null, though it is allowed; and what has no type of its own may be null beside it.
function withNull(schemas: Parts['schemas']): object {
  return JSON.parse(JSON.stringify(schemas), (_key, part: Schema | null) => {
    if (part?.nullable !== true) return part
    if (part.enum !== undefined) return { ...part, enum: [...part.enum, null] }
    if (part.type !== undefined) return part
    const { nullable: _, ...rest } = part
    return { anyOf: [rest, { type: 'null' }] }
  }) as object
}

function inGithub(schema: Schema): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/schemas/', '"github#/schemas/')) as object
}

/** The facts, and a plain value for everything else that the schema of this name demands. */
export function fill(name: string, facts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { ...filled(named(name), 0), ...facts }
}

function named(name: string): Schema {
  const schema = parts.schemas[name]
  if (schema === undefined) throw new Error(`${name} is not among the schemas of openapi-parts.json`)
  return schema
}

function filled(schema: Schema, depth: number): Record<string, unknown> {
  const entries = (schema.required ?? []).map((key) => [
    key,
    valueFor(schema.properties?.[key] ?? {}, depth + 1),
  ])
  return Object.fromEntries(entries) as Record<string, unknown>
}

function valueFor(schema: Schema, depth: number): unknown {
  if (schema.nullable === true) return null
  if (schema.enum !== undefined) return schema.enum[0]
  const alternative = schema.anyOf?.[0] ?? schema.oneOf?.[0] ?? schema.allOf?.[0]
  if (alternative !== undefined) return valueFor(alternative, depth)
  if (schema.$ref !== undefined) return valueFor(named(schema.$ref.split('/').at(-1) ?? ''), depth)
  switch (schema.type) {
    case 'integer':
    case 'number':
      return 1
    case 'boolean':
      return false
    case 'array':
      return []
    case 'object':
      return depth > 6 ? {} : filled(schema, depth)
    default:
      return schema.format === 'date-time' ? '2026-01-01T00:00:00Z' : 'https://stand-in.example.org/'
  }
}
