import type { EngineAddress } from '../model/engine-address.ts'
import type { ProviderAccess } from '../model/provider-access.ts'
import type { ProviderName } from '../model/provider.ts'

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
  /** Files of their own logins, absolute, of those that are to have theirs in the sandbox: around the gateway. */
  readonly agentLogins: Readonly<Record<'claude' | 'codex' | 'gemini' | 'opencode', string | null>>
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
  /** How spans are sent, as OpenTelemetry's variables say; `null`: they are not. */
  readonly tracing: { readonly protocol: 'http/protobuf' | 'http/json' } | null
  /** What is written to stderr at least. */
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
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
  /** Containers that wait on each engine for the next sandbox, at most. */
  readonly spares: number
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
  /** Logins of people whose reviews and comments count. */
  readonly heeded: readonly string[]
}

/** The environment or the command line cannot be used as it is: exit code 2. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
}
