import { readFile } from 'node:fs/promises'
import { ConfigurationError, type Settings } from '../config/settings.ts'
import { faultLines } from '../core/steps/repository-file.ts'
import { fileFault } from '../model/file-fault.ts'
import type { Policy } from '../model/policy/schema.ts'
import { parsePolicyFile } from '../model/repository-file/parse.ts'

const tooDeep = 'is not needed here: put its keys (allow, deny, …) at the top of this file, without policy'

/** The operator's own policy; `null`: there is none. Throws {@link ConfigurationError} with file, line and key. */
export async function operatorPolicyOf({ operatorPolicy: path }: Settings): Promise<Policy | null> {
  if (path === null) return null
  const parsed = parsePolicyFile(
    await readFile(path, 'utf8').catch((error: unknown) => {
      throw new ConfigurationError(`NIGHTSHIFT_POLICY: ${path} cannot be read: ${fileFault(error)}`)
    }),
  )
  if (parsed.ok) return parsed.policy
  const faults = parsed.faults.map((fault) =>
    fault.key === 'policy' ? { ...fault, message: tooDeep } : fault,
  )
  throw new ConfigurationError(faultLines(faults, path).join('\n'))
}
