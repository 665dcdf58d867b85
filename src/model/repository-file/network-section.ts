import { z } from 'zod'
import { hostSchema } from '../network.ts'
import { section } from '../policy/section.ts'

/** Registries that stand for the hosts that their tools are configured for on the machine that works. */
export const registryNames = ['npm', 'pip', 'go', 'cargo', 'maven'] as const
export type RegistryName = (typeof registryNames)[number]

const reachableSchema = z
  .array(
    hostSchema.refine(
      (host) => host !== 'none' && host !== 'full',
      'is no host: list hosts, and leave the list empty for none',
    ),
  )
  .max(100)
  .default([])

/** Hosts on top of the agent's own model API, by what runs. `allow` counts for all three. */
export const networkSectionSchema = section({
  setup: reachableSchema.meta({ description: 'For setup: host names, or npm, pip, go, cargo, maven.' }),
  agent: reachableSchema.meta({ description: 'For the agent.' }),
  checks: reachableSchema.meta({ description: 'For the checks.' }),
  allow: reachableSchema.meta({ description: 'For all three.' }),
})
export type NetworkSection = z.output<typeof networkSectionSchema>

/** What one phase may reach, each named once: registries apart from hosts, since only the machine knows theirs. */
export function reachable(
  network: NetworkSection,
  phase: 'setup' | 'agent' | 'checks',
): { registries: RegistryName[]; hosts: string[] } {
  const names = [...new Set([...network[phase], ...network.allow])]
  const registries = registryNames.filter((name) => names.includes(name))
  return { registries, hosts: names.filter((name) => !registries.some((registry) => registry === name)) }
}
