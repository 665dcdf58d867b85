import type { RegistryName } from '../model/repository-file/network-section.ts'
import type { Run } from '../process/spawner.ts'

/** Finds the hosts of a registry; `null`: its tool does not tell which they are. */
export type Registries = (name: RegistryName) => Promise<readonly string[] | null>

// Each asks the tool itself, so that a mirror or a company's own registry counts, and no public one is taken for granted.
const questions: Readonly<Record<RegistryName, readonly string[] | null>> = {
  npm: ['npm', 'config', 'get', 'registry'],
  go: ['go', 'env', 'GOPROXY', 'GOSUMDB'],
  pip: [
    'python3',
    '-c',
    [
      'import subprocess, sys',
      'from pip._internal.models.index import PyPI',
      'own = subprocess.run([sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True)',
      'print(own.stdout.strip() or PyPI.simple_url + " https://" + PyPI.file_storage_domain)',
    ].join('\n'),
  ],
  // These two say nowhere where they fetch from.
  cargo: null,
  maven: null,
}

const patienceMs = 30_000

/** Asks each tool at most once, on this machine, with the user's own settings. */
export function createRegistries(options: { path: string; userHome: string; run: Run }): Registries {
  const asked = new Map<RegistryName, Promise<readonly string[] | null>>()

  async function ask(name: RegistryName): Promise<readonly string[] | null> {
    const argv = questions[name]
    if (argv === null) return null
    try {
      const env = { PATH: options.path, HOME: options.userHome, LC_ALL: 'C' }
      const ended = await options.run(argv, { env, timeoutMs: patienceMs })
      const hosts = ended.exitCode === 0 ? hostsIn(ended.stdout.toString('utf8')) : []
      return hosts.length === 0 ? null : hosts
    } catch {
      // The tool is not there.
      return null
    }
  }

  return (name) => {
    const answer = asked.get(name) ?? ask(name)
    asked.set(name, answer)
    return answer
  }
}

/** Hosts of all URLs in a text, and bare host names that stand on a line of their own. */
function hostsIn(text: string): string[] {
  const words = text.split(/[\s,|]+/).filter((word) => word !== '')
  const hosts = words.flatMap((word) => {
    if (/^https?:\/\//.test(word) && URL.canParse(word)) return [new URL(word).host]
    return /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(word) ? [word] : []
  })
  return [...new Set(hosts)]
}
