import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RegistryName } from '../model/repository-file/network-section.ts'
import type { RunResult } from '../process/run.ts'
import type { Run } from '../process/spawner.ts'
import { trustSystemCertificates } from '../process/system-certificates.ts'

/** Finds the hosts of a registry; `null`: its tool does not tell which they are. */
export type Registries = (name: RegistryName) => Promise<readonly string[] | null>

/** How a tool is made to say where it fetches from. */
interface Question {
  readonly argv: readonly string[]
  /** A project that the tool is asked in. */
  readonly files?: Readonly<Record<string, string>>
  /** The tool answers by failing: what in its complaint says what it could not reach. */
  readonly complaint?: RegExp
  /** What only the registry itself knows, asked of what the tool said. */
  readonly more?: (said: string) => Promise<string>
}

// Each asks the tool itself, so that a mirror or a company's own registry counts, and no public one is taken for granted.
const questions: Readonly<Record<RegistryName, Question>> = {
  npm: { argv: ['npm', 'config', 'get', 'registry'] },
  go: { argv: ['go', 'env', 'GOPROXY', 'GOSUMDB'] },
  pip: {
    argv: [
      'python3',
      '-c',
      [
        'import subprocess, sys',
        'from pip._internal.models.index import PyPI',
        'own = subprocess.run([sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True)',
        'print(own.stdout.strip() or PyPI.simple_url + " https://" + PyPI.file_storage_domain)',
      ].join('\n'),
    ],
  },
  // No command of these two says it, but both say what they would have fetched when they may not.
  cargo: {
    argv: ['cargo', 'fetch', '--config', 'http.proxy="http://127.0.0.1:1"', '--config', 'net.retry=0'],
    files: {
      'Cargo.toml': '[package]\nname = "asking"\nversion = "0.0.0"\n[dependencies]\nnot-there = "1"\n',
      'src/lib.rs': '',
    },
    complaint: /failed to download from `([^`]+)`/g,
    more: downloadsOf,
  },
  maven: {
    argv: ['mvn', '--offline', '--batch-mode', 'validate'],
    files: {
      'pom.xml':
        '<project><modelVersion>4.0.0</modelVersion><parent><groupId>asking</groupId><artifactId>not-there</artifactId>' +
        '<version>1</version><relativePath/></parent><artifactId>asking</artifactId></project>',
    },
    complaint: /Cannot access \S+ \(([^)]+)\) in offline mode/g,
  },
}

const patienceMs = 30_000

/** Asks each tool at most once, on this machine, with the user's own settings. */
export function createRegistries(options: { path: string; userHome: string; run: Run }): Registries {
  const asked = new Map<RegistryName, Promise<readonly string[] | null>>()

  async function ask(question: Question): Promise<readonly string[] | null> {
    const folder = await mkdtemp(join(tmpdir(), 'nightshift-asks-'))
    try {
      for (const [name, content] of Object.entries(question.files ?? {})) {
        await mkdir(join(folder, name, '..'), { recursive: true })
        await writeFile(join(folder, name), content)
      }
      const env = { PATH: options.path, HOME: options.userHome, LC_ALL: 'C' }
      const ended = await options.run(question.argv, { env, cwd: folder, timeoutMs: patienceMs })
      const answer = answerIn(question, ended)
      const hosts = hostsIn(`${answer}\n${(await question.more?.(answer)) ?? ''}`)
      return hosts.length === 0 ? null : hosts
    } catch {
      // The tool is not there.
      return null
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  return (name) => {
    const answer = asked.get(name) ?? ask(questions[name])
    asked.set(name, answer)
    return answer
  }
}

function answerIn({ complaint }: Question, ended: RunResult): string {
  const said = ended.stdout.toString('utf8')
  if (complaint === undefined) return ended.exitCode === 0 ? said : ''
  return [...`${said}\n${ended.stderr}`.matchAll(complaint)].map(([, url]) => url).join('\n')
}

/** Cargo's index names the host of the packages in its `config.json` (as the registry index format has it). */
async function downloadsOf(said: string): Promise<string> {
  if (!said.endsWith('/config.json')) return ''
  try {
    trustSystemCertificates()
    const answer = await fetch(said, { signal: AbortSignal.timeout(patienceMs) })
    const { dl } = (await answer.json()) as { dl?: unknown }
    return String(dl)
  } catch {
    // Then packages cannot be fetched either, and whoever tries is told so.
    return ''
  }
}

/** Hosts of all URLs in a text, and host names that stand alone between blanks, commas or bars. */
function hostsIn(text: string): string[] {
  const words = text.split(/[\s,|]+/).filter((word) => word !== '')
  const hosts = words.flatMap((word) => {
    if (/^(?:sparse\+)?https?:\/\//.test(word) && URL.canParse(word)) return [new URL(word).host]
    return /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(word) ? [word] : []
  })
  return [...new Set(hosts)]
}
