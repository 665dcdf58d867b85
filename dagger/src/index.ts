/**
 * Nightshift: coding work that ends in branches and pull requests that hold.
 *
 * Thin functions over the same pipeline as the command line, the API and the schedules. Without a database the work lives
 * in the call: a call that is killed is not resumed, and what it was doing is lost. With `--database-url` tasks and all that
 * is told of them stay in that database; one whose call was killed ends there as cancelled, and can be retried.
 */
import {
  argument,
  dag,
  func,
  object,
  ReturnType,
  type Container,
  type Directory,
  type File,
  type Secret,
  type Service,
} from '@dagger.io/dagger'

/** Node, git and a shell; what else is needed is installed where it is missing. */
const defaultBase = 'node:24-bookworm'
const app = '/nightshift'
const programs = 'bwrap setpriv git flock curl ssh'
const install = `for program in ${programs}; do command -v "$program" >/dev/null || missing=1; done
[ -z "\${missing-}" ] || { apt-get update -q && apt-get install -qy --no-install-recommends bubblewrap util-linux git curl openssh-client; }`

@object()
export class Nightshift {
  source: Directory
  base: string

  /**
   * @param source the checkout of Nightshift itself
   * @param base the image on which Nightshift runs: Node 24 on Debian
   */
  constructor(
    @argument({
      defaultPath: '/',
      ignore: ['**/node_modules', '**/dist', '.git', '**/.DS_Store'],
    })
    source: Directory,
    base: string = defaultBase,
  ) {
    this.source = source
    this.base = base
  }

  /**
   * Does one task and answers it with its evidence, as JSON.
   *
   * A bad outcome is an error that holds the evidence.
   *
   * @param repo URL of the repository to work on
   * @param prompt what is to be done
   * @param agent claude, codex, gemini, opencode, acp or command
   * @param command the shell command that is the agent, run in the clone with $NIGHTSHIFT_PROMPT
   * @param ref branch to start from; by default the remote's default branch
   * @param branch branch to push to; by default nightshift/<id>-<words>
   * @param image image in which the work is done, where .nightshift.yaml names none
   * @param model model, as the agent names it
   * @param maxCost US dollars that the task may cost in all
   * @param timeout wall clock, such as 45m
   * @param merge never, checks or review
   * @param network hosts that the agent may reach, with commas between
   * @param requireChanges ending without a change is a failure
   * @param gitCredentials file of https://user:password@host lines, which the publisher alone reads
   * @param githubToken token for GitHub
   * @param anthropicApiKey key for the agent claude, held by the gateway
   * @param openaiApiKey key for the agent codex, held by the gateway
   * @param geminiApiKey key for the agent gemini, held by the gateway
   * @param databaseUrl PostgreSQL that keeps the task; without it the task lives in this call
   * @param repoService a service that answers at the address of `repo`, such as tcp://127.0.0.1:8080 of your machine
   */
  @func({ cache: 'never' })
  async task(
    repo: string,
    prompt: string,
    agent: string = '',
    command: string = '',
    ref: string = '',
    branch: string = '',
    image: string = '',
    model: string = '',
    maxCost: string = '',
    timeout: string = '',
    merge: string = '',
    network: string = '',
    requireChanges: boolean = false,
    gitCredentials?: Secret,
    githubToken?: Secret,
    anthropicApiKey?: Secret,
    openaiApiKey?: Secret,
    geminiApiKey?: Secret,
    databaseUrl?: Secret,
    repoService?: Service,
  ): Promise<string> {
    const flags = { agent, command, base: ref, branch, model, maxCost, timeout, merge, network }
    const args = [
      ...flagArguments({ repo, ...flags }),
      ...(requireChanges ? ['--require-changes'] : []),
      // A prompt may look as a flag does.
      '--',
      prompt,
    ]
    const secrets = { gitCredentials, githubToken, anthropicApiKey, openaiApiKey, geminiApiKey, databaseUrl }
    return this.run(args, { repo, image, secrets, repoService })
  }

  /**
   * Carries out a plan, batch by batch, and answers its tasks with their evidence, as JSON.
   *
   * A bad outcome is an error that holds the evidence.
   *
   * @param file the plan, a Markdown file
   * @param repo URL of the repository to work on
   * @param agent agent of tasks that name none
   * @param command the shell command that is the agent of tasks that name none
   * @param parallel how many tasks at the same time
   * @param image image in which the work is done, where .nightshift.yaml names none
   * @param gitCredentials file of https://user:password@host lines, which the publisher alone reads
   * @param githubToken token for GitHub
   * @param anthropicApiKey key for the agent claude, held by the gateway
   * @param openaiApiKey key for the agent codex, held by the gateway
   * @param geminiApiKey key for the agent gemini, held by the gateway
   * @param databaseUrl PostgreSQL that keeps the tasks; without it they live in this call
   * @param repoService a service that answers at the address of `repo`, such as tcp://127.0.0.1:8080 of your machine
   */
  @func({ cache: 'never' })
  async plan(
    file: File,
    repo: string,
    agent: string = '',
    command: string = '',
    parallel: number = 4,
    image: string = '',
    gitCredentials?: Secret,
    githubToken?: Secret,
    anthropicApiKey?: Secret,
    openaiApiKey?: Secret,
    geminiApiKey?: Secret,
    databaseUrl?: Secret,
    repoService?: Service,
  ): Promise<string> {
    const flags = { repo, plan: '/tmp/plan.md', agent, command, parallel: String(parallel) }
    const secrets = { gitCredentials, githubToken, anthropicApiKey, openaiApiKey, geminiApiKey, databaseUrl }
    return this.run(flagArguments(flags), { repo, image, secrets, repoService, file })
  }

  /**
   * Checks this very checkout of Nightshift: build, types, lint, format, dead code and tests.
   *
   * @param tests run the tests, too, which takes a while
   */
  @func({ cache: 'never' })
  async check(tests: boolean = true): Promise<string> {
    const steps = ['build', 'types', 'lint', 'format:check', 'dead-code', ...(tests ? ['vitest'] : [])]
    return this.built(true)
      .withEnvVariable('NIGHTSHIFT_CALL', newCall())
      .withExec(['sh', '-euc', steps.map((step) => `npm run --silent ${step}`).join('\n')], {
        // Tests make sandboxes of their own.
        insecureRootCapabilities: true,
      })
      .stdout()
  }

  /**
   * The container image of the service: API, dashboard and scheduler on port 8080.
   *
   * @param daggerCli the dagger CLI for Linux, by which the service uses engines
   */
  @func()
  image(daggerCli?: File): Container {
    const built = this.built(false)
    const whole =
      daggerCli === undefined
        ? built
        : built.withFile('/usr/local/bin/dagger', daggerCli, { permissions: 0o755 })
    return whole
      .withEnvVariable('NIGHTSHIFT_HOME', '/var/lib/nightshift')
      .withExposedPort(8080)
      .withEntrypoint(['node', `${app}/bin/nightshift.js`])
      .withDefaultArgs(['serve', '--host', '0.0.0.0'])
  }

  /** This checkout with its packages, built; packages are installed anew only when the lock file changes. */
  private built(whole: boolean): Container {
    const manifest = this.source.filter({ include: ['package.json', 'package-lock.json'] })
    const installed = dag
      .container()
      .from(this.base)
      .withExec(['sh', '-euc', install])
      .withWorkdir(app)
      .withDirectory(app, manifest)
      .withMountedCache('/root/.npm', dag.cacheVolume('nightshift-npm'))
      .withExec(['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund'])
      // Programs that packages fetch by a script of their own: PostgreSQL's links and Node itself.
      .withExec(['npm', 'rebuild', '--foreground-scripts'])
    // What does not go into the service must not make it be built anew.
    const needed = whole
      ? this.source
      : this.source.filter({ include: ['bin', 'src', 'package*.json', 'tsconfig*.json'] })
    const built = installed.withDirectory(app, needed).withExec(['npm', 'run', '--silent', 'build'])
    return whole
      ? built
      : built.withExec(['npm', 'prune', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'])
  }

  private async run(
    args: readonly string[],
    facts: {
      repo: string
      image: string
      secrets: Readonly<Record<string, Secret | undefined>>
      repoService: Service | undefined
      file?: File
    },
  ): Promise<string> {
    let container = this.built(false).withEnvVariable('NIGHTSHIFT_CALL', newCall())
    if (facts.image !== '') container = container.withEnvVariable('NIGHTSHIFT_IMAGE', facts.image)
    if (facts.file !== undefined) container = container.withMountedFile('/tmp/plan.md', facts.file)
    let run = ['node', `${app}/bin/nightshift.js`, 'run', '--runtime=dagger', '--json', ...args]
    if (facts.repoService !== undefined) {
      const { hostname, port } = addressOf(facts.repo)
      const onLoopback = /^(?:localhost|127\.\d+\.\d+\.\d+)$/.test(hostname)
      container = container.withServiceBinding(onLoopback ? remoteAlias : hostname, facts.repoService)
      if (onLoopback) run = ['sh', '-c', forward, port, ...run]
    }
    const ended = withSecrets(container, facts.secrets).withExec(
      run,
      // Its sandboxes are containers of the same engine. Its database drops to a user of its own, and takes root's rights
      // to be reached from here.
      { experimentalPrivilegedNesting: true, insecureRootCapabilities: true, expect: ReturnType.Any },
    )
    const [exitCode, evidence, said] = [await ended.exitCode(), await ended.stdout(), await ended.stderr()]
    if (exitCode === 0) return evidence
    throw new Error(`exit code ${exitCode}\n${evidence.trim() === '' ? said.slice(-4000) : evidence}`)
  }
}

const remoteAlias = 'repository'
/** The container's own loopback leads to the service, since the address of a repository on loopback is meant so. */
const forward = `node -e '
const net = require("node:net")
net.createServer((client) => {
  const service = net.connect(Number(process.argv[1]), "${remoteAlias}")
  client.pipe(service).pipe(client)
  for (const one of [client, service]) one.on("error", () => [client, service].forEach((each) => each.destroy()))
}).listen(Number(process.argv[1]), "127.0.0.1")
' "$0" & exec "$@"`

/** Where the service of a repository answers. */
function addressOf(repo: string): { hostname: string; port: string } {
  const url = URL.parse(repo)
  if (url === null || url.hostname === '')
    throw new Error(`repo: ${repo} is no URL with a host, at which repo-service could answer`)
  return { hostname: url.hostname, port: url.port || (url.protocol === 'https:' ? '443' : '80') }
}

/** Every call works anew: nothing of an earlier one may stand for it. */
function newCall(): string {
  return `${Date.now()}-${Math.random().toString(36).slice(2)}`
}

function flagArguments(flags: Readonly<Record<string, string>>): string[] {
  return Object.entries(flags).flatMap(([name, value]) =>
    value === '' ? [] : [`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}=${value}`],
  )
}

const variables: Readonly<Record<string, string>> = {
  githubToken: 'GITHUB_TOKEN',
  anthropicApiKey: 'ANTHROPIC_API_KEY',
  openaiApiKey: 'OPENAI_API_KEY',
  geminiApiKey: 'GEMINI_API_KEY',
  databaseUrl: 'DATABASE_URL',
}

function withSecrets(container: Container, secrets: Readonly<Record<string, Secret | undefined>>): Container {
  let result = container
  for (const [name, secret] of Object.entries(secrets)) {
    const variable = variables[name]
    if (secret === undefined) continue
    if (variable !== undefined) result = result.withSecretVariable(variable, secret)
    else {
      const path = '/run/secrets/git-credentials'
      result = result.withMountedSecret(path, secret).withEnvVariable('NIGHTSHIFT_GIT_CREDENTIALS', path)
    }
  }
  return result
}
