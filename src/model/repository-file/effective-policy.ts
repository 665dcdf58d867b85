import type { Policy, Protection } from '../policy/schema.ts'
import { strictest } from '../policy/strictest.ts'
import { packageScriptsOf, scriptsOf } from './command-scripts.ts'
import { defaultRepositoryFile, type RepositoryFile } from './repository-file.ts'

/**
 * The policy that the work is judged by: the repository's own (`null`: it has no file) under the operator's (`null`:
 * there is none). Where nobody wrote down any rule, `default` under `protect` does not count: there a task may set up the
 * first CI. Else it does, with checks of our own or without: a forge's CI is defined by the same files. Scripts that the
 * checks run are part of it.
 */
export function effectivePolicy(file: RepositoryFile | null, operator: Policy | null): Policy {
  const { policy: own, checks, setup } = file ?? defaultRepositoryFile()
  const policy = operator === null ? own : strictest(own, operator)
  const commands = [...checks.map((check) => check.run), ...(setup === null ? [] : [setup.run])]
  const scripts = commands.flatMap((command) => scriptsOf(command))
  const packageScripts = commands.flatMap((command) => packageScriptsOf(command))
  return {
    ...policy,
    protect: policy.protect.map((one): Protection => {
      if (file === null && operator === null) return { ...one, defaults: false }
      return one.defaults ? { ...one, globs: [...one.globs, ...scripts], packageScripts } : one
    }),
  }
}
