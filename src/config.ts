import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { durationSchema } from './model/duration.ts'
import { defaultEngineSlots, parseEngines, type EngineAddress } from './model/engine-address.ts'
import type { ProviderAccess, ProviderLogin } from './model/provider-access.ts'
import type { ProviderName } from './model/provider.ts'
import { defaultKeepWorkMs } from './model/kept-work.ts'

/** Everything that the environment sets, read once. Nothing else in the project reads the environment. */
export interface Settings {
  /** PostgreSQL to use; `null`: the embedded one of this home. */
  readonly databaseUrl: string | null
  /** Folder of database, mirrors and working files; absolute. */
  readonly home: string
  /** Where the commands that speak to a server find it. */
  readonly url: string
  readonly token: string | null
  /** Pipelines at once in this process. */
  readonly slots: number
  /** Folders from which REST may name local repositories; absolute. */
  readonly repoRoots: readonly string[]
  /** Hosts that requests and repositories may ask for: names, host:port or CIDR; `*` is every public one. */
  readonly network: readonly string[]
  /** File of `https://user:password@host` lines for the publisher. */
  readonly gitCredentials: string | null
  /** Path of the operator's own policy, laid over every repository's. */
  readonly operatorPolicy: string | null
  /** Where pull requests live, and as whom; `null`: every repository is a plain git remote. */
  readonly github: GithubSettings | null
  /** Where repositories with pull requests are, also where there is no token for it. */
  readonly githubServerUrl: string
  /** Secret of the webhooks that forges send here; `null`: none are taken. */
  readonly webhookSecret: string | null
  /** Where the ends of tasks are told to; `null`: nowhere. */
  readonly notify: { readonly url: string; readonly secret: string | null } | null
  readonly author: { readonly name: string; readonly email: string }
  /** Milliseconds for which the work of a task that ended badly is kept. */
  readonly keepWorkMs: number
  /** Memory of one sandbox, all its processes together. */
  readonly memoryBytes: number
  /** How long what ended tasks leave is kept, in milliseconds; `null`: for ever. */
  readonly keep: {
    readonly outputMs: number | null
    readonly eventsMs: number | null
    readonly diffsMs: number | null
    /** Mirrors of repositories that no task starts from any more. */
    readonly mirrorsMs: number | null
  }
  /** Processes and threads of one sandbox. */
  readonly processes: number
  /** The index that git is committing from, as it tells its hooks; `null`: the usual one. */
  readonly gitIndexFile: string | null
  /** Answers of its model that an agent may take in one round. */
  readonly maxTurns: number
  /** Where the command lines of agents are, as far as a person names it; the rest is searched for. */
  readonly agentPrograms: Readonly<Record<'claude' | 'codex' | 'gemini' | 'opencode', string | null>>
  /** PATH, as given: where tools for the sandbox are found. */
  readonly path: string
  /** The user's own home folder, whose tools but not whose secrets sandboxes see. */
  readonly userHome: string
  /** Containers; `null`: no engine is set, and none could be started. */
  readonly dagger: DaggerSettings | null
  /** How the model providers are reached, and with what login. */
  readonly providers: Readonly<Record<ProviderName, ProviderAccess>>
  /** Secrets by the name of their variable: never shown to a sandbox, masked in all that is stored. */
  readonly secrets: Readonly<Record<string, string>>
  /** Proxy and certificate settings for git's own connections. */
  readonly passThrough: Readonly<Record<string, string>>
}

/** Which Dagger engines there are, and what runs on them. */
export interface DaggerSettings {
  /** Path of the dagger CLI, or its name on the PATH. */
  readonly cli: string
  readonly engines: readonly EngineAddress[]
  /** The engine was named by the operator, and is not just one that the CLI could start: what `auto` takes. */
  readonly named: boolean
  /** The session that this process is in already, since Dagger itself started it; `null`: it opens its own. */
  readonly session: { readonly port: number; readonly token: string } | null
  /** The image of repositories that name none. */
  readonly image: string
  /** An image that has the launcher in it; `null`: it is made of this machine's own programs. */
  readonly launcherImage: string | null
  /** What the dagger CLI is given of the environment. */
  readonly env: Readonly<Record<string, string>>
}

export interface GithubSettings {
  /** Where repositories are, e.g. https://github.com. */
  readonly serverUrl: string
  /** Root of the API, e.g. https://api.github.com. */
  readonly apiUrl: string
  readonly account:
    | { readonly kind: 'token'; readonly token: string }
    | {
        readonly kind: 'app'
        readonly appId: string
        /** PEM. */
        readonly privateKey: string
        readonly installationId: number | null
      }
  /** What pull requests get. */
  readonly draft: boolean
  readonly labels: readonly string[]
  readonly reviewers: readonly string[]
}

/** The environment or the command line cannot be used as it is: exit code 2. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
}

const mebibyte = 1024 * 1024
const secretNames = /(?:TOKEN|SECRET|PASSWORD|API_KEY|PRIVATE_KEY)$/
const passThroughNames =
  /^(?:https?_proxy|no_proxy|all_proxy|GIT_SSL_CAINFO|SSL_CERT_FILE|SSL_CERT_DIR|SSH_AUTH_SOCK)$/i

/** What the dagger CLI needs of the environment: its own settings, and those of docker, by which it can start an engine. */
const daggerNames =
  /^(?:PATH|HOME|XDG_\w+|DO_NOT_TRACK|DAGGER_(?!SESSION)\w+|_EXPERIMENTAL_DAGGER_\w+|DOCKER_\w+)$/
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
  .url({ protocol: /^https?$/, error: 'must be an https URL' })
  .refine(
    (url) =>
      url.startsWith('https:') ||
      /^http:\/\/(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?(?:\/|$)/.test(url),
    'must be an https URL; http is taken for this machine alone',
  )

const dayMs = 86_400_000
const keepSchema = z.union(
  [z.literal('forever').transform(() => null), durationSchema({ minMs: 60_000, maxMs: 10_000 * dayMs })],
  'must be a duration such as 30d, or forever',
)

const environmentSchema = z.object({
  DATABASE_URL: z
    .string()
    .regex(/^postgres(?:ql)?:\/\//, 'must begin with postgres:// or postgresql://')
    .optional(),
  NIGHTSHIFT_HOME: z.string().optional(),
  XDG_DATA_HOME: z.string().optional(),
  NIGHTSHIFT_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .default('http://127.0.0.1:8080'),
  NIGHTSHIFT_TOKEN: z.string().optional(),
  NIGHTSHIFT_SLOTS: z.coerce.number().int().min(1).max(256).default(4),
  NIGHTSHIFT_REPO_ROOTS: z.string().default(''),
  NIGHTSHIFT_NETWORK: z.string().default('*'),
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
  NIGHTSHIFT_AUTHOR: z
    .string()
    .regex(/^[^<>\n]+ <[^<>\s]+>$/, 'must look like Name <mail@example.org>')
    .default('Nightshift <nightshift@localhost>'),
  NIGHTSHIFT_KEEP_WORK: durationSchema({ minMs: 0, maxMs: 3650 * 24 * 3_600_000 }).optional(),
  NIGHTSHIFT_MEMORY_MB: z.coerce.number().int().min(64).default(4096),
  NIGHTSHIFT_ENGINES: z.string().optional(),
  NIGHTSHIFT_IMAGE: z.string().default(defaultImage),
  NIGHTSHIFT_LAUNCHER: z.string().optional(),
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
  PATH: z.string().default('/usr/local/bin:/usr/bin:/bin'),
  HOME: z.string().optional(),
})

/** Reads the settings. Throws {@link ConfigurationError} naming each variable that cannot be used. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  // A variable that is set to nothing counts as not set, as shells and compose files do it.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const parsed = environmentSchema.safeParse(given)
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new ConfigurationError(lines.join('\n'))
  }
  const env = parsed.data
  const userHome = env.HOME ?? homedir()
  const [, name, email] = /^(.*) <(.*)>$/.exec(env.NIGHTSHIFT_AUTHOR) ?? []
  return {
    databaseUrl: env.DATABASE_URL ?? null,
    home: resolve(
      env.NIGHTSHIFT_HOME ?? join(env.XDG_DATA_HOME ?? join(userHome, '.local', 'share'), 'nightshift'),
    ),
    url: env.NIGHTSHIFT_URL.replace(/\/+$/, ''),
    token: env.NIGHTSHIFT_TOKEN ?? null,
    slots: env.NIGHTSHIFT_SLOTS,
    repoRoots: env.NIGHTSHIFT_REPO_ROOTS.split(':')
      .filter((root) => root !== '')
      .map((root) => resolve(root)),
    network: env.NIGHTSHIFT_NETWORK.split(',')
      .map((host) => host.trim().toLowerCase())
      .filter((host) => host !== ''),
    gitCredentials: env.NIGHTSHIFT_GIT_CREDENTIALS ?? null,
    operatorPolicy: env.NIGHTSHIFT_POLICY === undefined ? null : resolve(env.NIGHTSHIFT_POLICY),
    github: githubSettings(env),
    githubServerUrl: env.GITHUB_SERVER_URL.replace(/\/+$/, ''),
    webhookSecret: env.NIGHTSHIFT_WEBHOOK_SECRET ?? null,
    notify:
      env.NIGHTSHIFT_NOTIFY_URL === undefined
        ? null
        : { url: env.NIGHTSHIFT_NOTIFY_URL, secret: env.NIGHTSHIFT_NOTIFY_SECRET ?? null },
    author: { name: name ?? '', email: email ?? '' },
    keepWorkMs: env.NIGHTSHIFT_KEEP_WORK ?? defaultKeepWorkMs,
    memoryBytes: env.NIGHTSHIFT_MEMORY_MB * mebibyte,
    keep: {
      outputMs: env.NIGHTSHIFT_KEEP_OUTPUT,
      eventsMs: env.NIGHTSHIFT_KEEP_EVENTS,
      diffsMs: env.NIGHTSHIFT_KEEP_DIFFS,
      mirrorsMs: env.NIGHTSHIFT_KEEP_MIRRORS,
    },
    processes: env.NIGHTSHIFT_PROCESSES,
    gitIndexFile: env.GIT_INDEX_FILE ?? null,
    maxTurns: env.NIGHTSHIFT_MAX_TURNS,
    agentPrograms: {
      claude: env.NIGHTSHIFT_CLAUDE_BIN ?? null,
      codex: env.NIGHTSHIFT_CODEX_BIN ?? null,
      gemini: env.NIGHTSHIFT_GEMINI_BIN ?? null,
      opencode: env.NIGHTSHIFT_OPENCODE_BIN ?? null,
    },
    path: env.PATH,
    userHome,
    dagger: daggerSettings(env, given),
    providers: {
      anthropic: { baseUrl: env.ANTHROPIC_BASE_URL, login: anthropicLogin(env) },
      openai: { baseUrl: env.OPENAI_BASE_URL, login: keyLogin(env.OPENAI_API_KEY) },
      gemini: { baseUrl: env.GOOGLE_GEMINI_BASE_URL, login: keyLogin(env.GEMINI_API_KEY) },
    },
    secrets: pick(given, secretNames),
    passThrough: pick(given, passThroughNames),
  }
}

function daggerSettings(
  env: z.infer<typeof environmentSchema>,
  given: NodeJS.ProcessEnv,
): DaggerSettings | null {
  const { DAGGER_SESSION_PORT: port, DAGGER_SESSION_TOKEN: token } = env
  const session = port === undefined || token === undefined ? null : { port, token }
  const named = env.NIGHTSHIFT_ENGINES ?? env['_EXPERIMENTAL_DAGGER_RUNNER_HOST']
  const cli = env['_EXPERIMENTAL_DAGGER_CLI_BIN'] ?? 'dagger'
  // Without a name, the CLI starts an engine by itself where there is docker; that takes a while, so only when asked to.
  const startable = ['dagger', 'docker'].every((program) => isOnPath(program, env.PATH))
  if (session === null && named === undefined && !startable) return null
  const own = { address: null, slots: defaultEngineSlots }
  return {
    cli,
    engines: session !== null || named === undefined ? [own] : enginesOf(env.NIGHTSHIFT_ENGINES, named),
    named: session !== null || named !== undefined,
    session,
    image: env.NIGHTSHIFT_IMAGE,
    launcherImage: env.NIGHTSHIFT_LAUNCHER ?? null,
    env: { ...pick(given, daggerNames), ...pick(given, passThroughNames) },
  }
}

function enginesOf(list: string | undefined, named: string): EngineAddress[] {
  try {
    return list === undefined ? [{ address: named, slots: defaultEngineSlots }] : parseEngines(list)
  } catch (error) {
    throw new ConfigurationError(
      `NIGHTSHIFT_ENGINES: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

function isOnPath(program: string, path: string): boolean {
  return path.split(':').some((folder) => folder !== '' && existsSync(join(folder, program)))
}

/** In the order in which Claude Code itself takes them. */
function anthropicLogin(env: z.output<typeof environmentSchema>): ProviderLogin | null {
  const { ANTHROPIC_AUTH_TOKEN: bearer, ANTHROPIC_API_KEY: key, CLAUDE_CODE_OAUTH_TOKEN: subscription } = env
  if (bearer !== undefined) return { kind: 'bearer', secret: bearer.trim() }
  if (key !== undefined) return keyLogin(key)
  return subscription === undefined ? null : { kind: 'subscription', secret: subscription.trim() }
}

function keyLogin(key: string | undefined): ProviderLogin | null {
  return key === undefined ? null : { kind: 'key', secret: key.trim() }
}

/** The person's own environment, without what git tells its hooks: a check that calls git means where it is. */
export function environmentOfChecks(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const gits = /^GIT_(?:DIR|INDEX_FILE|PREFIX|WORK_TREE|EXEC_PATH)$/
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !gits.test(name)))
}

function githubSettings(env: z.output<typeof environmentSchema>): GithubSettings | null {
  const account = githubAccount(env)
  if (account === null) return null
  const serverUrl = env.GITHUB_SERVER_URL.replace(/\/+$/, '')
  // Where GitHub Enterprise has its API, unless it is told.
  const usual = new URL(serverUrl).host === 'github.com' ? 'https://api.github.com' : `${serverUrl}/api/v3`
  return {
    serverUrl,
    apiUrl: env.GITHUB_API_URL?.replace(/\/+$/, '') ?? usual,
    account,
    draft: env.NIGHTSHIFT_PR_DRAFT,
    labels: listOf(env.NIGHTSHIFT_PR_LABELS),
    reviewers: listOf(env.NIGHTSHIFT_PR_REVIEWERS),
  }
}

function githubAccount(env: z.output<typeof environmentSchema>): GithubSettings['account'] | null {
  const { GITHUB_APP_ID: appId, GITHUB_APP_PRIVATE_KEY: privateKey, GITHUB_TOKEN: token } = env
  if (token !== undefined) return { kind: 'token', token }
  if (appId === undefined && privateKey === undefined) return null
  if (appId === undefined || privateKey === undefined) {
    throw new ConfigurationError('GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY are needed both, or neither')
  }
  return { kind: 'app', appId, privateKey, installationId: env.GITHUB_APP_INSTALLATION_ID ?? null }
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function pick(environment: NodeJS.ProcessEnv, names: RegExp): Record<string, string> {
  const picked: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && names.test(name)) picked[name] = value
  }
  return picked
}
