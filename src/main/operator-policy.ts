import { readFile } from 'node:fs/promises'
import { ConfigurationError, type Settings } from '../config/settings.ts'
import type { Policy } from '../model/policy/schema.ts'
import { parsePolicyFile } from '../model/repository-file/parse.ts'

/** The operator's own policy; `null`: there is none. Throws {@link ConfigurationError} with file, line and key. */
export async function operatorPolicyOf({ operatorPolicy: path }: Settings): Promise<Policy | null> {
  if (path === null) return null
  const parsed = parsePolicyFile(
    await readFile(path, 'utf8').catch((error: unknown) => {
      throw new ConfigurationError(`NIGHTSHIFT_POLICY: ${path} cannot be read: ${String(error)}`)
    }),
  )
  if (parsed.ok) return parsed.policy
  const lines = parsed.faults.map(
    ({ line, column, key, message }) => `${path}:${line}:${column}: ${key} ${message}`,
  )
  throw new ConfigurationError(lines.join('\n'))
}
