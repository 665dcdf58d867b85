import { createRoute, z, type OpenAPIHono, type RouteConfig } from '@hono/zod-openapi'
import { repositoryFileJsonSchema } from '../model/repository-file/json-schema.ts'

// Without a type of their own, so that the handler may answer with any Response.
const responses: RouteConfig['responses'] = {
  200: {
    description: 'The schema, of draft 7',
    content: { 'application/schema+json': { schema: z.record(z.string(), z.unknown()) } },
  },
}

const schemaRoute = createRoute({
  method: 'get',
  path: '/schema.json',
  tags: ['Repositories'],
  summary: 'The JSON Schema of .nightshift.yaml',
  description:
    'For editors: `# yaml-language-server: $schema=` and this address, at the top of the file. What `nightshift schema` prints.',
  security: [],
  responses,
})

/** `/schema.json`: needs no token, since editors have none. */
export function addSchemaRoute(app: OpenAPIHono): void {
  const body = JSON.stringify(repositoryFileJsonSchema())
  app.openapi(
    schemaRoute,
    () => new Response(body, { headers: { 'content-type': 'application/schema+json' } }),
  )
}
