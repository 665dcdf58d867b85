import type { Violation } from '../../evidence.ts'
import { flatMapInChunks } from '../in-chunks.ts'
import { linkAliases } from '../link-aliases.ts'
import { looseMatcherOf } from '../glob.ts'
import { defaultGlobs, repositoryFileName } from '../protected/default-globs.ts'
import { gradleParts, pomParts } from '../protected/java-parts.ts'
import { packageScriptFiles } from '../protected/package-script-files.ts'
import { packageJsonParts } from '../protected/package-json.ts'
import { lockParts, packageLockParts } from '../protected/lock-parts.ts'
import { goModParts } from '../protected/go-parts.ts'
import { conftestParts, requirementsParts, setupPyParts } from '../protected/python-parts.ts'
import { cmakeParts, projectJsonParts, tasksPyParts } from '../protected/task-parts.ts'
import { changedParts, type ReadParts } from '../protected/parts.ts'
import { cargoParts, pyprojectParts } from '../protected/toml-parts.ts'
import type { Protection } from '../schema.ts'
import { shown, type Rule } from '../rule.ts'
import { isPlainFile, isThere, type JudgedChange, type JudgedWork } from '../work.ts'

/** Files that ordinary work changes too: only some parts of them define checks. */
const partlyProtected: readonly { globs: readonly string[]; read: ReadParts; alsoNewOnes: boolean }[] = [
  { globs: ['**/package.json'], read: packageJsonParts, alsoNewOnes: true },
  {
    globs: ['**/{package-lock,npm-shrinkwrap}.json'],
    read: packageLockParts,
    alsoNewOnes: false,
  },
  {
    globs: ['**/{yarn.lock,pnpm-lock.yaml,bun.lock,uv.lock,poetry.lock}'],
    read: lockParts,
    alsoNewOnes: false,
  },
  { globs: ['**/pyproject.toml'], read: pyprojectParts, alsoNewOnes: true },
  {
    globs: ['**/{*requirements*,constraints*}.{txt,in}', '**/requirements/*.{txt,in}'],
    read: requirementsParts,
    alsoNewOnes: false,
  },
  { globs: ['**/setup.py'], read: setupPyParts, alsoNewOnes: true },
  { globs: ['**/conftest.py'], read: conftestParts, alsoNewOnes: true },
  { globs: ['tasks.py'], read: tasksPyParts, alsoNewOnes: false },
  { globs: ['**/project.json'], read: projectJsonParts, alsoNewOnes: false },
  { globs: ['**/CMakeLists.txt'], read: cmakeParts, alsoNewOnes: false },
  { globs: ['**/Cargo.toml'], read: cargoParts, alsoNewOnes: false },
  { globs: ['**/go.mod'], read: goModParts, alsoNewOnes: true },
  { globs: ['**/pom.xml'], read: pomParts, alsoNewOnes: false },
  { globs: ['**/build.{gradle,gradle.kts}'], read: gradleParts, alsoNewOnes: false },
]
const partly = partlyProtected.map((one) => ({ ...one, matches: looseMatcherOf(one.globs) }))
const isPartly = looseMatcherOf(partlyProtected.flatMap(({ globs }) => globs))
const isRepositoryFile = looseMatcherOf([repositoryFileName])
const isDefault = looseMatcherOf(defaultGlobs)
const maxBytes = 1_000_000

/** `protect`: what defines the checks. What the same file lets change by its exact path may change. */
export const protect: Rule = async (policy, work) => {
  if (work.changes.length === 0) return []
  const run = await packageScriptFiles(
    policy.protect.flatMap(({ packageScripts = [] }) => packageScripts),
    (path) => readText(work, 'base', path),
  )
  const protections = policy.protect.map((one) => ({
    ...one,
    matches: looseMatcherOf(one.defaults ? [...one.globs, ...run] : one.globs),
  }))
  const aliasesOf = await linkAliases(work)
  return flatMapInChunks(work.changes, async (change): Promise<readonly Violation[]> => {
    const { path } = change
    const closed = protections.filter((one) => !one.except.includes(path))
    if (closed.length === 0 && protections.length > 0) return []
    const defaults = closed.some((one) => one.defaults)
    const covers = (one: (typeof closed)[number], name: string) =>
      isRepositoryFile(name) || one.matches(name) || (one.defaults && isDefault(name))
    const isWhole = (name: string) => isRepositoryFile(name) || closed.some((one) => covers(one, name))
    const name = [path, ...aliasesOf(change)].find(isWhole)
    const what = name !== undefined ? '' : defaults ? await protectedPart(work, change) : null
    if (what === null) return []
    const also = name === undefined || name === path ? '' : `, by a link also ${shown(name)},`
    const by = closed.filter((one) => (name === undefined ? one.defaults : covers(one, name)))
    const message =
      `${shown(path)}${also} defines how the work is checked, so it must not change${what}. Undo this change; ` +
      `a person can let it change by naming exactly this path under ${placesToAllow(by)}.`
    return [{ rule: 'protect', file: path, line: null, message }]
  })
}

/** Where whoever protects it could let it change. */
function placesToAllow(by: readonly Protection[]): string {
  const own = by.some((one) => !one.byOperator) || by.length === 0
  const operators = by.some((one) => one.byOperator)
  return [
    own ? `policy.allow in ${repositoryFileName}` : '',
    operators ? 'allow in the operator’s own policy (NIGHTSHIFT_POLICY)' : '',
  ]
    .filter((place) => place !== '')
    .join(' and under ')
}

/** Which protected part of the file changed, as the end of a sentence; `null`: none. */
async function protectedPart(work: JudgedWork, change: JudgedChange): Promise<string | null> {
  if (!isPartly(change.path)) return null
  const kind = partly.find((one) => one.matches(change.path))
  if (kind === undefined || (change.status === 'added' && !kind.alsoNewOnes)) return null
  if (isThere(change) && !isPlainFile(change)) return ': it is no plain file any more'
  const before = change.status === 'added' ? '' : await readText(work, 'base', change.path)
  const after = await readText(work, 'head', change.path)
  if (before === null || after === null)
    return `: it is larger than ${maxBytes} bytes, too large to be judged`
  try {
    const names = changedParts(kind.read(before), kind.read(after))
    if (names.length === 0) return null
    return ` in ${names.slice(0, 5).map(shown).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return ': it cannot be read any more'
  }
}

async function readText(work: JudgedWork, at: 'base' | 'head', path: string): Promise<string | null> {
  const bytes = await work.readFile(at, path, maxBytes + 1)
  if (bytes === null) return ''
  return bytes.length > maxBytes ? null : bytes.toString('utf8')
}
