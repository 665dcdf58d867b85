import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { daggerSettings } from './config/engines.ts'
import { environmentSchema, passThroughNames, pick } from './config/environment.ts'
import { githubSettings } from './config/github.ts'
import { providerAccess } from './config/providers.ts'
import { ConfigurationError, type Settings } from './config/settings.ts'
import { tracingSettings } from './config/tracing.ts'
import { issueWords } from './model/issue-words.ts'
import { defaultKeepWorkMs } from './model/kept-work.ts'

const mebibyte = 1024 * 1024
const secretNames = /(?:TOKEN|SECRET|PASSWORD|API_KEY|PRIVATE_KEY)$/

/** Reads the settings. Throws {@link ConfigurationError} naming each variable that cannot be used. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  // A variable that is set to nothing counts as not set, as shells and compose files do it.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const parsed = environmentSchema.safeParse(given)
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issueWords(issue)}`)
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
    network: env.NIGHTSHIFT_NETWORK,
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
    agentLogins: {
      claude: env.NIGHTSHIFT_CLAUDE_LOGIN_FILE ?? null,
      codex: env.NIGHTSHIFT_CODEX_LOGIN_FILE ?? null,
      gemini: env.NIGHTSHIFT_GEMINI_LOGIN_FILE ?? null,
      opencode: env.NIGHTSHIFT_OPENCODE_LOGIN_FILE ?? null,
    },
    path: env.PATH,
    userHome,
    dagger: daggerSettings(env, given),
    providers: providerAccess(env),
    secrets: pick(given, secretNames),
    tracing: tracingSettings(env),
    logLevel: env.NIGHTSHIFT_LOG_LEVEL,
    passThrough: pick(given, passThroughNames),
  }
}

/** The person's own environment, without what git tells its hooks: a check that calls git means where it is. */
export function environmentOfChecks(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const gits = /^GIT_(?:DIR|INDEX_FILE|PREFIX|WORK_TREE|EXEC_PATH)$/
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !gits.test(name)))
}
