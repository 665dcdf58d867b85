import { agentProgramPaths } from '../agents/agent-programs.ts'
import type { Settings } from '../config/settings.ts'
import { createDaggerRuntime, type DaggerRuntime } from '../dagger/dagger-runtime.ts'
import { createCloner } from '../git/clone.ts'
import { createLocalRuntime } from '../local/local-runtime.ts'
import type { Log } from '../ports/log.ts'
import type { Runtime } from '../ports/runtime.ts'
import type { Closers } from '../process/closers.ts'
import type { Spawner } from '../process/spawner.ts'

export interface OpenedRuntimes {
  /** In the order in which `auto` takes them. */
  readonly inOrder: readonly Runtime[]
  /** `null`: no engine is set, and none could be started. */
  readonly dagger: DaggerRuntime | null
}

/** Opens what provides sandboxes, once what dead processes left behind is gone. */
export async function openRuntimes(
  settings: Settings,
  parts: {
    readonly spawner: Spawner
    readonly log: Log
    readonly closers: Closers
    /** An engine with less free takes no task. */
    readonly minFreeBytes: number
  },
): Promise<OpenedRuntimes> {
  const { spawner, log, closers, minFreeBytes } = parts
  const { home, author, network } = settings
  const local = createLocalRuntime({
    home,
    clone: createCloner({ path: settings.path, run: spawner.run, owner: null }),
    path: settings.path,
    userHome: settings.userHome,
    programs: () => agentProgramPaths(settings),
    author,
    network,
    run: spawner.run,
    starter: spawner,
    masks: [settings.gitCredentials, ...Object.values(settings.agentLogins)].filter((path) => path !== null),
    log,
  })
  await local.sweepDead()
  closers.push(() => local.close())
  if (settings.dagger === null) return { inOrder: [local], dagger: null }
  const dagger = createDaggerRuntime({ ...settings.dagger, home, author, network, minFreeBytes, log })
  closers.push(() => dagger.close())
  // An engine that was not named is one that would have to be started.
  return { inOrder: settings.dagger.named ? [dagger, local] : [local, dagger], dagger }
}
