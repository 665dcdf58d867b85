import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, normalize, resolve } from 'node:path'
import { credentialFiles, toolManagers } from './tool-managers.ts'

/** What of the user's tools a sandbox gets to see. */
export interface Tools {
  /** Files and folders, seen read-only at the same paths; a folder stands before what lies in it. */
  readonly folders: readonly string[]
  /** Files with credentials inside those folders. */
  readonly credentials: readonly string[]
  /** PATH inside. */
  readonly path: string
  readonly env: Readonly<Record<string, string>>
}

export interface ToolOptions {
  /** The user's PATH. */
  readonly path: string
  readonly userHome: string
  /** Programs beside the PATH, by absolute path: each is brought in with what it needs. */
  readonly programs: readonly string[]
  /** Folders of which nothing may be seen, nor any folder that holds them. */
  readonly hidden: readonly string[]
  /** They are used by another user than their owner: what is closed to others is of no use. */
  readonly asOther: boolean
}

const visibleAnyway = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/opt', '/nix/store', '/etc']
/** Places that a sandbox fills itself, or that belong to the machine. */
const neverFrom = ['/work', '/out', '/proc', '/sys', '/dev', '/run', '/var/run', '/boot', '/lost+found']
const defaultPath = ['/usr/local/bin', '/usr/bin', '/bin']
/** Beside a `bin` folder, these say that it is an installation and not just a folder of scripts. */
const prefixParts = ['lib', 'lib64', 'libexec', 'share', 'pkg', 'versions']
/** Folders of the user that are never brought in whole, and those of which nothing is. */
const wholeTrees = ['.local', '.local/share', '.config', '.cache', '.claude', '.codex', '.gemini']
const secretFolders = ['.ssh', '.gnupg', '.aws', '.azure', '.kube', '.docker', '.password-store']
const maxLinks = 2000

/** Finds the tools behind a PATH. Never throws: an entry that cannot be read brings nothing. */
export function findTools(options: ToolOptions): Tools {
  const search = new ToolSearch(options)
  for (const entry of options.path.split(':')) search.add(entry)
  for (const program of options.programs) search.addProgram(program)
  return search.result()
}

class ToolSearch {
  readonly #home: string
  readonly #hidden: readonly string[]
  readonly #asOther: boolean
  readonly #brought = new Set<string>()
  readonly #entries: string[] = []
  readonly #env: Record<string, string> = {}
  #links = 0

  constructor(options: ToolOptions) {
    this.#home = normalize(options.userHome).replace(/(?<=.)\/$/, '')
    this.#hidden = options.hidden
    this.#asOther = options.asOther
  }

  add(given: string): void {
    if (!isAbsolute(given)) return
    const entry = normalize(given).replace(/(?<=.)\/$/, '')
    const real = realOf(entry)
    // What npm puts before PATH belongs to the package that it runs, which is us.
    if (real === null || /\/node_modules\/\.bin$|\/node-gyp-bin$/.test(entry) || !isFolder(real)) return
    // A link from a place that is not seen inside, such as /run, to one that is.
    const seen = this.#allowed(entry) || this.#seenAnyway(entry) ? entry : real
    if (!this.#seenAnyway(seen)) {
      if (!this.#allowed(seen)) return
      this.#bring(seen)
      if (real !== seen) this.#bring(real)
    }
    if (!this.#entries.includes(seen)) this.#entries.push(seen)
    if (!this.#seenAnyway(real) || seen === '/usr/local/bin') this.#follow(real)
  }

  /** Its folder comes last on the PATH: what it starts itself, such as its own Node, is mostly beside it. */
  addProgram(path: string): void {
    const folder = dirname(path)
    if (!isAbsolute(path) || realOf(path) === null) return
    if (!this.#seenAnyway(path)) this.#bring(path)
    this.#followLink(path)
    if (!this.#entries.includes(folder)) this.#entries.push(folder)
  }

  result(): Tools {
    const all = [...this.#brought].toSorted()
    const folders = all.filter((path) => !all.some((other) => path !== other && under(path, [other])))
    return {
      folders,
      credentials: folders.flatMap(credentialsIn),
      path: [...new Set([...this.#entries, ...defaultPath])].join(':'),
      env: this.#env,
    }
  }

  /** Brings in what a PATH entry or a linked program needs. */
  #bring(path: string): void {
    for (const needed of this.#neededBy(path)) {
      if (this.#allowed(needed) && this.#usable(needed)) this.#brought.add(needed)
    }
  }

  #usable(path: string): boolean {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined) return false
    const wanted = stat.isDirectory() ? 0o005 : 0o004
    return !this.#asOther || (stat.mode & wanted) === wanted
  }

  #neededBy(path: string): string[] {
    const manager = toolManagers
      .filter(({ folder }) => under(path, [join(this.#home, folder)]))
      .toSorted((one, other) => other.folder.length - one.folder.length)[0]
    if (manager !== undefined) {
      for (const [name, folder] of Object.entries(manager.env)) this.#env[name] = join(this.#home, folder)
      return manager.needs.map((folder) => join(this.#home, folder))
    }
    // A package of npm needs those beside it.
    const modules = /^.*?\/node_modules(?=\/)/.exec(path)?.[0]
    return [modules ?? this.#prefixOf(path) ?? path]
  }

  /** `X` of `X/bin` or `X/bin/program`, where X is an installation. */
  #prefixOf(path: string): string | null {
    const bin = ['bin', 'sbin', 'shims'].includes(basename(path)) ? path : dirname(path)
    if (!['bin', 'sbin', 'shims'].includes(basename(bin))) return null
    const prefix = dirname(bin)
    if (!this.#allowed(prefix)) return null
    const installed =
      under(prefix, [this.#home]) || prefixParts.some((part) => existsSync(join(prefix, part)))
    return installed ? prefix : null
  }

  /** Programs are often links into a folder that is not on PATH: pipx, uv and claude put them into ~/.local/bin. */
  #follow(folder: string): void {
    for (const name of list(folder)) this.#followLink(join(folder, name))
  }

  #followLink(from: string): void {
    let path = from
    for (let hops = 0; hops < 8 && this.#links < maxLinks && isLink(path); hops++) {
      this.#links++
      path = resolve(dirname(path), readlinkSync(path))
      if (!this.#seenAnyway(path) && existsSync(path)) this.#bring(path)
    }
    const real = realOf(path)
    if (real !== null && real !== path && !this.#seenAnyway(real)) this.#bring(real)
  }

  /** A home in such a folder is covered, so that its tools have to be brought in all the same. */
  #seenAnyway(path: string): boolean {
    return under(path, visibleAnyway) && !under(path, [this.#home])
  }

  /** Not a folder that belongs to the sandbox or the machine, and none that holds what must stay hidden. */
  #allowed(path: string): boolean {
    if (path.split('/').length < 3 || under(path, neverFrom) || under(path, this.#hidden)) return false
    if ([this.#home, ...this.#hidden].some((hidden) => under(hidden, [path]))) return false
    const inHome = (name: string) => join(this.#home, name)
    return !wholeTrees.map(inHome).includes(path) && !under(path, secretFolders.map(inHome))
  }
}

/** Whether a path is one of these folders or lies in one. */
export function under(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`))
}

function credentialsIn(folder: string): string[] {
  return credentialFiles.flatMap((name) => {
    const path = join(folder, name)
    const real = realOf(path)
    // A link to elsewhere leads to nothing inside; one within the folder has to be hidden where it ends.
    return real !== null && under(real, [realOf(folder) ?? folder]) && statSync(real).isFile() ? [real] : []
  })
}

function realOf(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
