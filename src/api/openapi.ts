import { z, type OpenAPIHono } from '@hono/zod-openapi'
import { agentEvidenceSchema } from '../model/evidence.ts'
import { outcomeSchema } from '../model/outcome.ts'
import { runtimeNames, submissionSchema } from '../model/submission.ts'
import { limitsSchema } from './shapes.ts'

/** The OpenAPI document, as the library generates it. */
export type OpenApiDocument = ReturnType<OpenAPIHono['getOpenAPI31Document']>

const agentRunSchema = submissionSchema
  .omit({ prompt: true, runtime: true })
  .extend({
    task: z.string().meta({ description: 'What is to be done.' }),
    execution_mode: z
      .enum([...runtimeNames, 'auto'])
      .default('auto')
      .meta({ description: 'What provides the sandbox.' }),
  })
  .meta({ id: 'AgentRun' })

/** Names the schemas that routes only refer to, or that would else be written out where they may be null. */
export function registerSchemas(api: OpenAPIHono): void {
  api.openAPIRegistry.register('Submission', submissionSchema)
  api.openAPIRegistry.register('AgentRun', agentRunSchema)
  api.openAPIRegistry.register('Outcome', outcomeSchema)
  api.openAPIRegistry.register('AgentEvidence', agentEvidenceSchema)
  api.openAPIRegistry.register('Limits', limitsSchema)
  api.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' })
}

/** The document of all routes that were added. */
export function openApiDocument(app: OpenAPIHono, version: string): OpenApiDocument {
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Nightshift',
      version,
      description:
        'Queue coding work, leave, and find branches and pull requests that hold. Errors are application/problem+json (RFC 9457) and name every bad field.',
    },
    security: [{ token: [] }, {}],
    tags: [
      { name: 'Tasks', description: 'One piece of work on one repository each.' },
      { name: 'Operations', description: 'The queue as a whole.' },
      { name: 'Health', description: 'For those who watch over the process.' },
    ],
  })
  return JSON.parse(JSON.stringify(document, nullableReferences)) as OpenApiDocument
}

// The generator writes "this shape or null" as allOf(shape, null), which nothing can satisfy.
function nullableReferences(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('allOf' in value) || !Array.isArray(value.allOf))
    return value
  const { allOf, ...rest } = value
  const [shape, other] = allOf as { $ref?: string; type?: string | string[] }[]
  if (shape?.$ref === undefined || !Array.isArray(other?.type) || !other.type.includes('null')) return value
  return { anyOf: [shape, { type: 'null' }], ...rest }
}

/** The methods that a path takes, of all that were added; empty: there is no such path. */
export function allowedMethods(app: OpenAPIHono, path: string): string[] {
  const methods = new Set<string>()
  for (const route of app.routes) {
    if (route.method === 'ALL') continue
    const pattern = route.path.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : escape(part)))
    if (new RegExp(`^${pattern.join('/')}$`).test(path)) methods.add(route.method)
  }
  if (methods.has('GET')) methods.add('HEAD')
  return [...methods].toSorted()
}

function escape(part: string): string {
  return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
