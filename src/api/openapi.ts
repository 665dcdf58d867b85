import type { OpenAPIHono } from '@hono/zod-openapi'

/** The OpenAPI document, as the library generates it. */
export type OpenApiDocument = ReturnType<OpenAPIHono['getOpenAPI31Document']>

/** The document of all routes that were added. */
export function openApiDocument(app: OpenAPIHono, version: string): OpenApiDocument {
  return app.getOpenAPI31Document({
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
      { name: 'Runs', description: 'Plans that are carried out, batch by batch.' },
      { name: 'Schedules', description: 'What is started at set times.' },
      { name: 'Operations', description: 'The queue as a whole.' },
      { name: 'Repositories', description: 'What a repository says of itself.' },
      { name: 'Forges', description: 'Where forges tell of changes.' },
      { name: 'Health', description: 'For those who watch over the process.' },
    ],
  })
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
