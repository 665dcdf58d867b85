import { z } from 'zod'

/**
 * What a sandbox may reach. `none`: nothing but what the repository's file allows. Hosts: those too, by HTTP and
 * HTTPS through the egress proxy. `full`: the machine's own network, for `run` alone.
 */
export type Network = { kind: 'none' } | { kind: 'hosts'; hosts: readonly string[] } | { kind: 'full' }

/** `example.org`, `*.example.org`, `example.org:8443`, `127.0.0.1:8080`, `[::1]:8080`. */
const hostPattern =
  /^(?:(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/

/** One host as a request or a repository may name it, in lower case. */
export const hostSchema = z
  .string()
  .trim()
  .toLowerCase()
  .max(259)
  .regex(hostPattern, 'must be a host name, optionally with *. in front and :port behind')
  .refine((host) => !(portOf(host) < 1 || portOf(host) > 65_535), 'must have a port from 1 to 65535')

// NaN where there is none.
function portOf(host: string): number {
  return Number(/:(\d+)$/.exec(host)?.[1])
}

/** `none`, `full`, one host, hosts separated by commas, or a list of hosts. */
export const networkSchema = z
  .union([z.string(), z.array(z.string()).max(100)], {
    error: 'must be none, full, or hosts: a list, or one text with commas',
  })
  .transform((value, context): Network => {
    if (value === 'none') return { kind: 'none' }
    if (value === 'full') return { kind: 'full' }
    const parts = Array.isArray(value) ? value : value.split(',')
    if (parts.every((part) => part.trim() === '')) {
      context.addIssue('must be none, full, or at least one host')
      return z.NEVER
    }
    const hosts: string[] = []
    for (const part of parts) {
      const host = hostSchema.safeParse(part)
      if (!host.success) context.addIssue(`${JSON.stringify(part)} ${host.error.issues[0]?.message ?? ''}`)
      else if (host.data === 'none' || host.data === 'full')
        context.addIssue(`${host.data} stands alone, not in a list`)
      else hosts.push(host.data)
    }
    return { kind: 'hosts', hosts }
  })
  .meta({ description: 'none, or the hosts that the sandbox may reach: a list, or one text with commas.' })
