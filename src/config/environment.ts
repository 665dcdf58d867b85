import { z } from 'zod'
import { durationSchema } from '../model/duration.ts'
import { hostSchema } from '../model/network.ts'

/** Has git, Node, Python and a C compiler. */
const defaultImage = 'node:24-bookworm'

/** The address of an API, whose paths are put behind it. */
function baseUrl(usual: string) {
  return z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .refine((url) => !/[@?#]/.test(url), 'must be an address without user, password, ? and #')
    .transform((url) => url.replace(/\/+$/, ''))
    .default(usual)
}

// A token over http could be read by anyone on the way; on the loopback there is no way.
const githubUrl = z
  .url({ protocol: /^https?$/, error: 'must be an https URL', abort: true })
  .refine(
    (url) =>
      url.startsWith('https:') ||
      /^http:\/\/(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?(?:\/|$)/.test(url),
    'must be an https URL; http is taken for this machine alone',
  )

const allowedHost = z.union([z.literal('*'), z.cidrv4(), z.cidrv6(), z.ipv6(), hostSchema])

/** Hosts with commas between. What stands for none would allow less, or more, than the operator meant. */
const allowedHosts = z.string().transform((value, context) => {
  const entries = listOf(value.toLowerCase())
  for (const entry of entries) {
    if (allowedHost.safeParse(entry).success) continue
    context.addIssue(`${JSON.stringify(entry)} must be *, a host, host:port or a range such as 10.0.0.0/8`)
  }
  return entries
})

const loginFile = z.string().startsWith('/', 'must be an absolute path').optional()

const dayMs = 86_400_000
const keepSchema = z.union(
  [z.literal('forever').transform(() => null), durationSchema({ minMs: 60_000, maxMs: 10_000 * dayMs })],
  'must be a duration such as 30d, or forever',
)

/** Every variable that is read, with its default and what it may be. */
export const environmentSchema = z.object({
  DATABASE_URL: z
    .string()
    .regex(/^postgres(?:ql)?:\/\//, 'must begin with postgres:// or postgresql://')
    .optional(),
  NIGHTSHIFT_HOME: z.string().optional(),
  XDG_DATA_HOME: z.string().optional(),
  NIGHTSHIFT_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .default('http://127.0.0.1:8080'),
  NIGHTSHIFT_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII characters, without spaces and line breaks')
    .optional(),
  NIGHTSHIFT_SLOTS: z.coerce.number().int().min(1).max(256).default(4),
  NIGHTSHIFT_REPO_ROOTS: z.string().default(''),
  NIGHTSHIFT_NETWORK: allowedHosts.default(['*']),
  NIGHTSHIFT_GIT_CREDENTIALS: z.string().optional(),
  NIGHTSHIFT_POLICY: z.string().optional(),
  NIGHTSHIFT_WEBHOOK_SECRET: z.string().min(8, 'must have at least 8 characters').optional(),
  NIGHTSHIFT_NOTIFY_URL: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).optional(),
  NIGHTSHIFT_NOTIFY_SECRET: z.string().min(8, 'must have at least 8 characters').optional(),
  GITHUB_TOKEN: z.string().optional(),
  GITHUB_SERVER_URL: githubUrl.default('https://github.com'),
  GITHUB_API_URL: githubUrl.optional(),
  GITHUB_APP_ID: z.string().regex(/^\w+$/, 'must be the id of a GitHub App').optional(),
  GITHUB_APP_PRIVATE_KEY: z
    .string()
    .regex(/-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'must be a private key in PEM form')
    .optional(),
  GITHUB_APP_INSTALLATION_ID: z.coerce.number().int().positive().optional(),
  NIGHTSHIFT_PR_DRAFT: z.stringbool({ error: 'must be true or false' }).default(false),
  NIGHTSHIFT_PR_LABELS: z.string().default(''),
  NIGHTSHIFT_PR_REVIEWERS: z.string().default(''),
  NIGHTSHIFT_REVIEWERS: z.string().default(''),
  NIGHTSHIFT_AUTHOR: z
    .string()
    .regex(/^[^<>\n]+ <[^<>\s]+>$/, 'must look like Name <mail@example.org>')
    .default('Nightshift <nightshift@localhost>'),
  NIGHTSHIFT_KEEP_WORK: durationSchema({ minMs: 0, maxMs: 3650 * 24 * 3_600_000 }).optional(),
  NIGHTSHIFT_MEMORY_MB: z.coerce.number().int().min(64).default(4096),
  NIGHTSHIFT_ENGINES: z.string().optional(),
  NIGHTSHIFT_IMAGE: z.string().default(defaultImage),
  NIGHTSHIFT_LAUNCHER: z.string().optional(),
  NIGHTSHIFT_SPARES: z.coerce.number().int().min(0).max(64).default(4),
  _EXPERIMENTAL_DAGGER_RUNNER_HOST: z.string().optional(),
  _EXPERIMENTAL_DAGGER_CLI_BIN: z.string().optional(),
  DAGGER_SESSION_PORT: z.coerce.number().int().min(1).max(65535).optional(),
  DAGGER_SESSION_TOKEN: z.string().optional(),
  NIGHTSHIFT_KEEP_OUTPUT: keepSchema.default(30 * dayMs),
  NIGHTSHIFT_KEEP_EVENTS: keepSchema.default(180 * dayMs),
  NIGHTSHIFT_KEEP_DIFFS: keepSchema.default(180 * dayMs),
  NIGHTSHIFT_KEEP_MIRRORS: keepSchema.default(30 * dayMs),
  NIGHTSHIFT_PROCESSES: z.coerce.number().int().min(16).default(1024),
  ANTHROPIC_API_KEY: z.string().optional(),
  CLAUDE_CODE_OAUTH_TOKEN: z.string().optional(),
  ANTHROPIC_AUTH_TOKEN: z.string().optional(),
  OPENAI_API_KEY: z.string().optional(),
  GEMINI_API_KEY: z.string().optional(),
  ANTHROPIC_BASE_URL: baseUrl('https://api.anthropic.com'),
  OPENAI_BASE_URL: baseUrl('https://api.openai.com/v1'),
  GOOGLE_GEMINI_BASE_URL: baseUrl('https://generativelanguage.googleapis.com'),
  GIT_INDEX_FILE: z.string().optional(),
  NIGHTSHIFT_MAX_TURNS: z.coerce.number().int().min(1).max(100_000).default(500),
  NIGHTSHIFT_CLAUDE_BIN: z.string().optional(),
  NIGHTSHIFT_CODEX_BIN: z.string().optional(),
  NIGHTSHIFT_GEMINI_BIN: z.string().optional(),
  NIGHTSHIFT_OPENCODE_BIN: z.string().optional(),
  NIGHTSHIFT_CLAUDE_LOGIN_FILE: loginFile,
  NIGHTSHIFT_CODEX_LOGIN_FILE: loginFile,
  NIGHTSHIFT_GEMINI_LOGIN_FILE: loginFile,
  NIGHTSHIFT_OPENCODE_LOGIN_FILE: loginFile,
  NIGHTSHIFT_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('warn'),
  OTEL_SDK_DISABLED: z.string().optional(),
  OTEL_TRACES_EXPORTER: z.string().optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.string().optional(),
  OTEL_EXPORTER_OTLP_PROTOCOL: z.string().optional(),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: z.string().optional(),
  PATH: z.string().default('/usr/local/bin:/usr/bin:/bin'),
  HOME: z.string().optional(),
})

/** Proxy and certificate settings for connections of our own programs. */
export const passThroughNames =
  /^(?:https?_proxy|no_proxy|all_proxy|GIT_SSL_CAINFO|SSL_CERT_FILE|SSL_CERT_DIR|SSH_AUTH_SOCK)$/i

/** The variables, judged, with their defaults. */
export type Environment = z.output<typeof environmentSchema>

/** The parts of a list with commas. */
export function listOf(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** The variables of some names, as they are. */
export function pick(environment: NodeJS.ProcessEnv, names: RegExp): Record<string, string> {
  const picked: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && names.test(name)) picked[name] = value
  }
  return picked
}
