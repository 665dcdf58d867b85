import { tmpdir } from 'node:os'
import { environmentOfChecks } from '../config.ts'
import type { Settings } from '../config/settings.ts'
import type { HandTools } from '../core/hand-tools.ts'
import { createMask } from '../core/mask.ts'
import { withOwnSecrets } from '../core/own-secrets.ts'
import { createCheckouts } from '../git/checkout.ts'
import { run } from '../process/run.ts'
import { runShellLine } from '../process/shell-line.ts'
import { createSecretScanner } from '../secretlint/secret-scanner.ts'
import { operatorPolicyOf } from './operator-policy.ts'

/** What looks at a checkout in hand: git, a shell and the operator's policy. Throws as {@link operatorPolicyOf}. */
export async function openHandTools(settings: Settings, environment: NodeJS.ProcessEnv): Promise<HandTools> {
  const operatorPolicy = await operatorPolicyOf(settings)
  const { path, userHome } = settings
  const mask = createMask(settings.secrets)
  return {
    checkouts: createCheckouts({ scratch: tmpdir(), path, userHome, run }),
    parts: (signal) => ({
      scanSecrets: withOwnSecrets(createSecretScanner(), mask),
      operatorPolicy,
      runIn: (folder) => (line, options) =>
        runShellLine(line, { ...options, cwd: folder, env: environmentOfChecks(environment), signal }),
      mask,
    }),
  }
}
