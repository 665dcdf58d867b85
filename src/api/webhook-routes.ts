import { createHmac, timingSafeEqual } from 'node:crypto'
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi'
import type { ApiContext } from './context.ts'
import { readBytes } from './json-body.ts'
import { ProblemError } from './problem.ts'
import { answers } from './responses.ts'

/** Where forges call: no token, and no page of this server, but a signature over every byte. */
export const webhookPath = '/webhooks/github'

/** GitHub sends no larger ones. */
const maxPayloadBytes = 25 * 1024 * 1024

const route = createRoute({
  method: 'post',
  path: webhookPath,
  tags: ['Forges'],
  summary: 'GitHub tells of a change',
  description:
    'For a webhook of GitHub with the secret of NIGHTSHIFT_WEBHOOK_SECRET and the content type application/json: ' +
    'tasks that wait for the pull request, or for checks on its head, look again at once. A delivery counts once.',
  security: [],
  responses: answers(
    {
      202: {
        description: 'Heard; how many tasks it woke',
        content: { 'application/json': { schema: z.object({ woken: z.int() }) } },
      },
    },
    ['not-found'],
    true,
  ),
})

const numbered = z.object({ number: z.int() })
const payloadShape = z.object({
  repository: z.object({ html_url: z.url() }),
  number: z.int().optional(),
  pull_request: numbered.extend({ head: z.object({ sha: z.string() }).optional() }).optional(),
  issue: numbered.optional(),
  check_run: z.object({ head_sha: z.string() }).optional(),
  check_suite: z.object({ head_sha: z.string() }).optional(),
  /** Of the event `status`. */
  sha: z.string().optional(),
})

export function addWebhookRoutes(app: OpenAPIHono, { system }: ApiContext): void {
  app.openapi(route, async (c) => {
    const secret = system.settings.webhookSecret
    if (secret === null) {
      throw new ProblemError(
        'not-found',
        'set NIGHTSHIFT_WEBHOOK_SECRET to the secret of the webhook, to have it heard',
      )
    }
    const bytes = await readBytes(c.req.raw, maxPayloadBytes)
    if (!isSigned(bytes, c.req.header('x-hub-signature-256') ?? '', secret)) {
      throw new ProblemError('unauthorized', 'the signature in X-Hub-Signature-256 is not that of this body')
    }
    const about = aboutWhat(bytes)
    const id = c.req.header('x-github-delivery') ?? ''
    // Others, such as the ping, are heard and wake nobody.
    const woken =
      about === null || id === '' ? 0 : await system.store.hear({ id: id.slice(0, 200), ...about })
    return c.json({ woken }, 202)
  })
}

function isSigned(bytes: Buffer, header: string, secret: string): boolean {
  const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(bytes).digest('hex')}`)
  const given = Buffer.from(header)
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** The repository, the pull request and the head that it is about; `null`: nothing that a task could wait for. */
function aboutWhat(bytes: Buffer): { slug: string; number: number | null; sha: string | null } | null {
  let json: unknown
  try {
    json = JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new ProblemError(
      'malformed-body',
      'not JSON; choose the content type application/json for the webhook',
    )
  }
  const parsed = payloadShape.safeParse(json)
  if (!parsed.success) return null
  const {
    repository,
    number,
    pull_request: pull,
    issue,
    check_run: run,
    check_suite: suite,
    sha,
  } = parsed.data
  const { host, pathname } = new URL(repository.html_url)
  return {
    slug: `${host}${pathname.replace(/\/+$/, '')}`.toLowerCase(),
    number: pull?.number ?? issue?.number ?? number ?? null,
    sha: run?.head_sha ?? suite?.head_sha ?? sha ?? pull?.head?.sha ?? null,
  }
}
