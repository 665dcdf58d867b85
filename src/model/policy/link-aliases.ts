import { flatMapInChunks } from './in-chunks.ts'
import { fileModes, isThere, type JudgedChange, type JudgedWork } from './work.ts'

/** More links than this are not followed: a tree that has them is no ordinary one. */
const maxLinks = 2000
const maxTargetBytes = 4096
const maxRounds = 3
const maxAliases = 1000

interface Link {
  readonly path: string
  /** What it leads to, from the top of the tree; empty: the top itself. */
  readonly target: string
}

/**
 * Other names by which what changed can be reached at the head: through a link to a folder above it, or, where a link
 * itself changed, what lies in the folder that it leads to now. Links out of the tree lead nowhere.
 */
export async function linkAliases(work: JudgedWork): Promise<(change: JudgedChange) => readonly string[]> {
  const tree = await work.headTree()
  const paths = [...tree].flatMap(([path, { mode }]) => (mode === fileModes.symlink ? [path] : []))
  if (paths.length === 0) return () => []
  const links = await flatMapInChunks(paths.slice(0, maxLinks), async (path): Promise<readonly Link[]> => {
    const bytes = await work.readFile('head', path, maxTargetBytes)
    const target = bytes === null ? null : resolved(path, bytes.toString('utf8'))
    return target === null || target === path ? [] : [{ path, target }]
  })
  return (change) => {
    const own = links.find((link) => link.path === change.path)
    const starts = own !== undefined && isThere(change) ? behind(own, tree) : [change.path]
    return throughLinks(starts, links).filter((path) => path !== change.path)
  }
}

/** What a link leads to, as far as names alone tell; `null`: out of the tree. */
function resolved(path: string, target: string): string | null {
  if (target.startsWith('/')) return null
  const names = path.split('/').slice(0, -1)
  for (const name of target.split('/')) {
    if (name === '' || name === '.') continue
    if (name !== '..') names.push(name)
    else if (names.pop() === undefined) return null
  }
  return names.join('/')
}

function behind({ path, target }: Link, tree: ReadonlyMap<string, unknown>): string[] {
  const prefix = target === '' ? '' : `${target}/`
  const found: string[] = []
  for (const name of tree.keys()) {
    if (!name.startsWith(prefix) || found.length >= maxAliases) continue
    found.push(`${path}/${name.slice(prefix.length)}`)
  }
  return found
}

function throughLinks(starts: readonly string[], links: readonly Link[]): string[] {
  const known = new Set(starts)
  let last = [...starts]
  for (let round = 0; round < maxRounds && last.length > 0 && known.size < maxAliases; round += 1) {
    last = last.flatMap((path) =>
      links.flatMap((link) => {
        if (link.target !== '' && path !== link.target && !path.startsWith(`${link.target}/`)) return []
        const rest = link.target === '' ? `/${path}` : path.slice(link.target.length)
        return [`${link.path}${rest}`]
      }),
    )
    last = last.filter((path) => !known.has(path)).slice(0, maxAliases)
    for (const path of last) known.add(path)
  }
  return [...known]
}
