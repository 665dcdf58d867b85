import { statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { versionIn } from '../model/version-in.ts'
import type { FoundProgram, NpmProgram, Problem } from '../ports/runtime.ts'
import type { Run } from '../process/spawner.ts'
import { findCli, type CliPlace } from './cli-search.ts'

export interface CliOptions {
  /** Path that the person's setting names; `null`: it is searched for. */
  readonly setting: string | null
  /** The user's PATH. */
  readonly path: string
  readonly userHome: string
  readonly run: Run
}

const versionTimeoutMs = 30_000

/** The command line of one agent on this machine: looked for at each question, so that one installed meanwhile counts. */
export class CliProgram {
  readonly #install: NpmProgram
  readonly #settingName: string
  readonly #place: CliPlace
  readonly #run: Run
  readonly #versions = new Map<string, Promise<string | null>>()

  /** `settingName`: the variable by which a person names its path. */
  constructor(install: NpmProgram, settingName: string, options: CliOptions) {
    this.#install = install
    this.#settingName = settingName
    this.#place = options
    this.#run = options.run
  }

  /** Never throws. */
  problems(): readonly Problem[] {
    if (findCli(this.#install.bin, this.#place) !== null) return []
    const { bin, package: name } = this.#install
    const { setting } = this.#place
    const todo = `npm install -g ${name}   (or set ${this.#settingName} to the path of ${bin})`
    if (setting === null) return [{ what: `${bin} is not installed`, todo }]
    return [{ what: `${this.#settingName} is ${setting}, which is no program`, todo }]
  }

  async find(): Promise<FoundProgram | null> {
    const path = findCli(this.#install.bin, this.#place)
    return path === null ? null : { path, version: await this.#version(path) }
  }

  /** Asked once for each state of the file: starting it can take seconds. */
  #version(path: string): Promise<string | null> {
    const stat = statSync(path, { throwIfNoEntry: false })
    const key = `${path} ${stat?.ino} ${stat?.mtimeMs} ${stat?.size}`
    const version = this.#versions.get(key) ?? this.#askVersion(path)
    this.#versions.set(key, version)
    return version
  }

  async #askVersion(path: string): Promise<string | null> {
    // Some do not start without a home that they can write to.
    const home = await mkdtemp(join(tmpdir(), 'nightshift-version-')).catch(() => '/nonexistent')
    try {
      const env = { PATH: `${this.#place.path}:${dirname(path)}`, HOME: home, LC_ALL: 'C' }
      const ended = await this.#run([path, '--version'], { env, timeoutMs: versionTimeoutMs })
      return versionIn(ended.stdout.toString('utf8'))
    } catch {
      return null
    } finally {
      await rm(home, { recursive: true, force: true }).catch(() => {})
    }
  }
}
