import { accessSync, constants, readdirSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

/** Where a command line is looked for. */
export interface CliPlace {
  /** The path that a setting names; `null`: none does. Then nothing else is looked at. */
  readonly setting: string | null
  /** The user's PATH. */
  readonly path: string
  readonly userHome: string
}

/** Folders in which tools of the usual managers lie, absolute or below the home folder, in the order of preference. */
const usualFolders = [
  '.local/bin',
  'bin',
  '.claude/local',
  '.opencode/bin',
  '.npm-global/bin',
  '.volta/bin',
  '.local/share/mise/shims',
  '.asdf/shims',
  '.bun/bin',
  '.local/share/pnpm',
  '.yarn/bin',
  '.linuxbrew/bin',
  '/home/linuxbrew/.linuxbrew/bin',
  '/opt/homebrew/bin',
  '/usr/local/bin',
  '/usr/bin',
  '/bin',
  '/snap/bin',
] as const

/** Folders with one folder for each version of Node, and where programs are in that. */
const versionFolders = [
  { folder: '.nvm/versions/node', bin: 'bin' },
  { folder: '.local/share/fnm/node-versions', bin: 'installation/bin' },
  { folder: '.local/share/mise/installs/node', bin: 'bin' },
] as const

/**
 * Finds a program by an explicit search: a service's PATH is seldom the one of the person's shell. Answers its absolute
 * path, links left as they are (a shim goes by its name); `null`: it is nowhere. Never throws.
 */
export function findCli(bin: string, place: CliPlace): string | null {
  if (place.setting !== null) return isProgram(place.setting) ? place.setting : null
  const onPath = place.path.split(':').filter(isAbsolute)
  const usual = usualFolders.map((folder) => (isAbsolute(folder) ? folder : join(place.userHome, folder)))
  const versions = versionFolders.flatMap(({ folder, bin: below }) =>
    newestFirst(join(place.userHome, folder)).map((version) => join(version, below)),
  )
  const folders = [...onPath, ...usual, ...versions]
  return folders.map((folder) => join(folder, bin)).find(isProgram) ?? null
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return isAbsolute(path) && statSync(path).isFile()
  } catch {
    return false
  }
}

function newestFirst(folder: string): string[] {
  try {
    const names = readdirSync(folder).toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    return names.map((name) => join(folder, name))
  } catch {
    return []
  }
}
