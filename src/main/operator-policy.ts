import { readFile } from 'node:fs/promises'
import { ConfigurationError, type Settings } from '../config/settings.ts'
import { faultLines } from '../core/steps/repository-file.ts'
import type { Policy } from '../model/policy/schema.ts'
import { parsePolicyFile } from '../model/repository-file/parse.ts'

const tooDeep = 'is not needed here: put its keys (allow, deny, …) at the top of this file, without policy'
const whyUnread: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'reading it is not permitted',
}

/** The operator's own policy; `null`: there is none. Throws {@link ConfigurationError} with file, line and key. */
export async function operatorPolicyOf({ operatorPolicy: path }: Settings): Promise<Policy | null> {
  if (path === null) return null
  const parsed = parsePolicyFile(
    await readFile(path, 'utf8').catch((error: unknown) => {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
      throw new ConfigurationError(`NIGHTSHIFT_POLICY: ${path} cannot be read: ${whyUnread[code] ?? code}`)
    }),
  )
  if (parsed.ok) return parsed.policy
  const faults = parsed.faults.map((fault) =>
    fault.key === 'policy' ? { ...fault, message: tooDeep } : fault,
  )
  throw new ConfigurationError(faultLines(faults, path).join('\n'))
}
