import { posix } from 'node:path'
import { packageScriptsOf, scriptsOf, type PackageScript } from '../../repository-file/command-scripts.ts'
import { languages } from '../tests-kept/languages.ts'

const maxScripts = 200

/**
 * Files of the repository that these scripts of package.json run as programs, at the base, with the scripts that they
 * run in turn. Tests are none of them: they are kept by a rule of their own. Never throws.
 */
export async function packageScriptFiles(
  scripts: readonly PackageScript[],
  readBase: (path: string) => Promise<string | null>,
): Promise<readonly string[]> {
  const files = new Set<string>()
  const seen = new Set<string>()
  const waiting = [...scripts]
  for (let script = waiting.shift(); script !== undefined; script = waiting.shift()) {
    const { folder, name } = script
    if (seen.has(`${folder}\0${name}`) || seen.size >= maxScripts) continue
    seen.add(`${folder}\0${name}`)
    const command = commandOf(await readBase(posix.join(folder, 'package.json')), name)
    if (command === null) continue
    for (const file of scriptsOf(command, folder)) if (!isTest(folder, file)) files.add(file)
    waiting.push(...packageScriptsOf(command, folder))
  }
  return [...files]
}

/** By its name, or as the one file of tests that a small package has beside its package.json. */
function isTest(folder: string, file: string): boolean {
  const isAlone =
    posix.dirname(file) === folder && /^(?:tests?|specs?)\.[cm]?[jt]s$/.test(posix.basename(file))
  return isAlone || languages.some((one) => one.isTestFile(file))
}

function commandOf(text: string | null, name: string): string | null {
  try {
    const root: unknown = JSON.parse((text ?? '').replace(/^\ufeff/, ''))
    const scripts: unknown =
      typeof root === 'object' && root !== null && 'scripts' in root ? root.scripts : {}
    const found = Object.entries(scripts ?? {}).find(([key]) => key === name)?.[1] as unknown
    return typeof found === 'string' ? found : null
  } catch {
    return null
  }
}
