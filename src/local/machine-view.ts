import { existsSync, realpathSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { secretPaths } from './system-mounts.ts'
import { findTools, under, type Tools } from './tools.ts'

/** What of the machine sandboxes see, and what of that they do not. */
export interface MachineView {
  readonly tools: Tools
  /** Paths in visible folders that have to be hidden; they exist. */
  readonly hidden: readonly string[]
  /** The user's home, where it lies in a folder that is seen; its tools are laid over it. */
  readonly coveredHome: string | null
}

export interface ViewOptions {
  readonly path: string
  readonly userHome: string
  /** Programs that sandboxes need beside those on the PATH; asked at every look. */
  readonly programs: () => readonly string[]
  /** Paths that no sandbox may see, wherever they are. */
  readonly masks: readonly string[]
}

const visible = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/opt', '/nix/store', '/etc']
/** Tools that are installed while we run are found after this long at the latest. */
const freshMs = 60_000

/** Looks at the machine, and again after a while; looking takes some 20 ms. */
export class Machine {
  readonly #options: ViewOptions
  #view: MachineView | null = null
  #seenAtMs = 0

  constructor(options: ViewOptions) {
    this.#options = options
  }

  view(): MachineView {
    const nowMs = performance.now()
    if (this.#view === null || nowMs - this.#seenAtMs > freshMs) {
      this.#view = look(this.#options)
      this.#seenAtMs = nowMs
    }
    return this.#view
  }
}

function look(options: ViewOptions): MachineView {
  const masks = options.masks.filter((path) => existsSync(path)).map((path) => realpathSync(path))
  const tools = findTools({
    path: options.path,
    userHome: options.userHome,
    programs: options.programs(),
    hidden: masks,
    asOther: process.getuid?.() === 0,
  })
  const seen = [...visible, ...tools.folders]
  const hidden = [...secretPaths(), ...tools.credentials, ...masks.filter((path) => under(path, seen))]
  const home = existsSync(options.userHome) ? realpathSync(options.userHome) : options.userHome
  const isSeen = under(home, visible) && !visible.includes(home)
  return { tools, hidden: [...new Set(hidden)], coveredHome: isSeen ? home : null }
}
