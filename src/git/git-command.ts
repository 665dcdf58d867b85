import { join } from 'node:path'
import type { RunResult } from '../process/run.ts'
import type { Credential, CredentialsFor } from './credentials.ts'
import type { GitPlace } from './git-place.ts'
import { askpassScript, globalConfig, sshCommand } from './git-settings.ts'
import { masked } from './mask.ts'

export interface GitOptions {
  readonly place: GitPlace
  /** PATH of git and of what it starts. */
  readonly path: string
  /** Proxy, certificate and ssh agent variables for connections. */
  readonly passThrough: Readonly<Record<string, string>>
  readonly credentialsFor: CredentialsFor
}

export interface GitCall {
  readonly timeoutMs?: number
  readonly stdin?: Buffer | string
  readonly maxStdoutBytes?: number
  readonly env?: Readonly<Record<string, string>>
  /** It changes nothing on either side, so that it may outlive this process. */
  readonly readOnly?: boolean
  /** Address space that git may take. */
  readonly maxMemoryBytes?: number
}

/** Git ended in a way that nobody's input explains: the machinery's fault, tried again. */
export class GitFailure extends Error {
  override readonly name = 'GitFailure'
  readonly ended: RunResult

  constructor(what: string, ended: RunResult) {
    super(`${what}: ${wordsOf(ended)}`)
    this.ended = ended
  }
}

/** The one way in which git is run: fixed settings, a clean environment, a time limit. */
export interface Git {
  readonly place: GitPlace
  /** In a bare repository, without any connection. Every ending is a value. */
  run(gitDir: string, args: readonly string[], call?: GitCall): Promise<RunResult>
  /** As {@link run}, answering stdout; rejects with {@link GitFailure} unless it exits with 0. */
  read(gitDir: string, args: readonly string[], call?: GitCall): Promise<Buffer>
  /**
   * With connections to this repository alone, by its own protocol alone, and with its credentials. Secrets are
   * masked in both outputs. It dies with this process. `gitDir` is `null` where none is needed.
   */
  connect(
    url: string,
    gitDir: string | null,
    args: readonly string[],
    call: GitCall & { timeoutMs: number },
  ): Promise<RunResult>
}

const localTimeoutMs = 5 * 60_000

/** Writes git's settings into the place's home and finds out what the place can do. */
export async function createGit(options: GitOptions): Promise<Git> {
  const { place } = options
  const folder = join(place.home, 'git')
  await place.write(folder, { config: globalConfig, 'home/empty': '' })
  await place.write(folder, { askpass: askpassScript }, 0o700)
  const environment: Readonly<Record<string, string>> = {
    PATH: options.path,
    // Nothing of the person's is read: no .gitconfig, no .netrc, no attributes.
    HOME: join(folder, 'home'),
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: join(folder, 'config'),
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_DEFAULT_REF_FORMAT: 'files',
    GIT_ALLOW_PROTOCOL: '',
  }
  const [leashes, canLimitMemory] = await Promise.all([
    findLeashes(place, options.path),
    works(place, options.path, ['prlimit', '--as=4294967296', '--']),
  ])

  function start(argv: readonly string[], env: Readonly<Record<string, string>>, call: GitCall) {
    const limit =
      call.maxMemoryBytes === undefined || !canLimitMemory
        ? []
        : ['prlimit', `--as=${call.maxMemoryBytes}`, '--']
    return place.run([...limit, ...argv], {
      cwd: place.home,
      env: { ...env, ...call.env },
      timeoutMs: call.timeoutMs ?? localTimeoutMs,
      ...(call.stdin === undefined ? {} : { stdin: call.stdin }),
      ...(call.maxStdoutBytes === undefined ? {} : { maxStdoutBytes: call.maxStdoutBytes }),
    })
  }

  const run: Git['run'] = (gitDir, args, call = {}) =>
    start(['git', `--git-dir=${gitDir}`, ...args], environment, call)

  return {
    place,
    run,
    async read(gitDir, args, call) {
      const ended = await run(gitDir, args, call)
      if (ended.exitCode !== 0) throw new GitFailure(`git ${args[0] ?? ''} in ${gitDir} failed`, ended)
      return ended.stdout
    },
    async connect(url, gitDir, args, call) {
      const protocol = protocolOf(url)
      const isHttp = protocol === 'http' || protocol === 'https'
      const as = async (credential: Credential | null) => {
        const env = {
          ...environment,
          ...options.passThrough,
          GIT_ALLOW_PROTOCOL: protocol,
          GIT_SSH_COMMAND: sshCommand,
          GIT_SSH_VARIANT: 'ssh',
          ...(credential === null ? {} : askpassEnvironment(url, credential, join(folder, 'askpass'))),
        }
        const where = gitDir === null ? [] : [`--git-dir=${gitDir}`]
        // In a user namespace, ssh would not know the owners of its own settings again.
        const leash = call.readOnly === true ? [] : protocol === 'ssh' ? leashes.process : leashes.tree
        const ended = await start([...leash, 'git', ...where, ...args], env, call)
        if (credential === null) return ended
        return {
          ...ended,
          stdout: Buffer.from(masked(ended.stdout.toString('utf8'), credential)),
          stderr: masked(ended.stderr, credential),
        }
      }
      const credential = isHttp ? await options.credentialsFor(url) : null
      const ended = await as(credential)
      if (credential === null || !isRefused(ended)) return ended
      // Nothing was done with it: whatever was asked for may be asked for again.
      const renewed = await options.credentialsFor(url, true)
      return renewed === null || renewed.password === credential.password ? ended : as(renewed)
    },
  }
}

function isRefused({ exitCode, stderr }: RunResult): boolean {
  return exitCode !== 0 && /Authentication failed|Invalid credentials|returned error: 401/i.test(stderr)
}

/** What git said at the end, in one line of at most 2,000 characters. */
export function wordsOf(ended: RunResult): string {
  const how = ended.ended === 'exited' ? `exit code ${ended.exitCode}` : ended.ended.replaceAll('_', ' ')
  const words = ended.stderr
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('hint:'))
    .join('; ')
  return words === '' ? how : words.slice(-2000)
}

/** The protocol by which git reaches a repository in normal form. */
export function protocolOf(repo: string): 'https' | 'http' | 'ssh' | 'git' | 'file' {
  if (repo.startsWith('/')) return 'file'
  const scheme = /^([a-z]+):\/\//.exec(repo)?.[1]
  switch (scheme) {
    case 'https':
    case 'http':
    case 'ssh':
    case 'git':
    case 'file':
      return scheme
    case undefined:
      // What is left of the normal forms is user@host:path.
      return 'ssh'
    default:
      throw new TypeError(`${repo} is not a repository that can be reached`)
  }
}

function askpassEnvironment(url: string, credential: Credential, script: string): Record<string, string> {
  const { protocol, host } = new URL(url)
  return {
    GIT_ASKPASS: script,
    NIGHTSHIFT_ASKPASS_SCHEME: protocol.slice(0, -1),
    NIGHTSHIFT_ASKPASS_HOST: host,
    NIGHTSHIFT_ASKPASS_USERNAME: credential.username,
    NIGHTSHIFT_ASKPASS_PASSWORD: credential.password,
  }
}

interface Leashes {
  /** Ends the program itself when this process dies. */
  readonly process: readonly string[]
  /** Ends what it has started, too: git's http helper would finish a push all alone. */
  readonly tree: readonly string[]
}

async function findLeashes(place: GitPlace, path: string): Promise<Leashes> {
  const single = ['setpriv', '--pdeathsig', 'KILL']
  const spaces = ['--pid', '--fork', '--kill-child=KILL', '--']
  if (!(await works(place, path, single))) return { process: [], tree: [] }
  for (const options of [[], ['--user', '--map-current-user']]) {
    const tree = [...single, 'unshare', ...options, ...spaces]
    if (await works(place, path, tree)) return { process: single, tree }
  }
  return { process: single, tree: single }
}

async function works(place: GitPlace, path: string, wrapper: readonly string[]): Promise<boolean> {
  try {
    const ended = await place.run([...wrapper, 'true'], { env: { PATH: path }, timeoutMs: 10_000 })
    return ended.exitCode === 0
  } catch {
    return false
  }
}
