import type { ProviderName } from '../model/provider.ts'
import type { AgentName, RuntimeName } from '../model/submission.ts'

/** Tells what a worker can do; it is given no task that asks for more. */
export interface WorkerAbilities {
  readonly workerId: string
  /** `null`: the tasks that everyone shares. Otherwise: the private tasks of one `run`, and no others. */
  readonly pool: string | null
  readonly agents: readonly AgentName[]
  /** Agents that are known here but cannot work: their tasks are taken only where nobody else can do them, to say so. */
  readonly lacking: readonly AgentName[]
  /** Its logins: tasks of a provider whose account is held are not taken. */
  readonly accounts: readonly ProviderAccount[]
  readonly runtimes: readonly RuntimeName[]
  /** Local repositories are only where they are: tasks on paths are claimed only by workers of the machine that submitted them. */
  readonly machineId: string
}

/** A login for a provider, as the gateway names it. */
export interface ProviderAccount {
  readonly provider: ProviderName
  readonly account: string
}

export interface WorkerLife {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly slots: number
  /** Agents that work there, and its logins. */
  readonly agents: readonly AgentName[]
  readonly accounts: readonly ProviderAccount[]
  /** Whose tasks it takes; without: the shared pool's. */
  readonly pool?: string | null
  /** Why it takes nothing, as a sentence: its disk is nearly full. Without, or `null`: it has room. */
  readonly shortOfDisk?: string | null
}
