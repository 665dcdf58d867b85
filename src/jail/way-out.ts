import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Relay } from '../ports/runtime.ts'
import type { Mount } from './jail-spec.ts'

const folder = '/run/nightshift'
const node = `${folder}/node`
const proxyPort = 3128

// As source here, as JavaScript where the project was built; the ending tells Node that it is a module.
const relaySource = import.meta.url.endsWith('.ts') ? 'relay.ts' : 'relay.js'
const relay = `${folder}/${relaySource.replace('relay.', 'relay.m')}`

/** A Node that runs in a jail: what has to be seen there, and how it is called. */
export interface RelayNode {
  readonly mounts: readonly Mount[]
  readonly argv: readonly string[]
}

/** This process's Node, for a jail with the same libraries. */
function sameNode(): RelayNode {
  return { mounts: [{ kind: 'read', from: realpathSync(process.execPath), to: node }], argv: [node] }
}

/** What a jail needs so that ports of its loopback lead to sockets of the machine. Nothing where there are none. */
export function socketRelays(
  relays: readonly Relay[],
  runner: RelayNode = sameNode(),
): { mounts: Mount[]; prefix: string[] } {
  if (relays.length === 0) return { mounts: [], prefix: [] }
  const inside = (port: number) => `${folder}/${port}.sock`
  return {
    mounts: [
      ...runner.mounts,
      { kind: 'read', from: fileURLToPath(new URL(relaySource, import.meta.url)), to: relay },
      // Writable, since connecting to a socket counts as writing.
      ...relays.map(({ port, socket }) => ({ kind: 'write', from: socket, to: inside(port) }) as const),
    ],
    prefix: [...runner.argv, relay, ...relays.flatMap(({ port }) => [String(port), inside(port)]), '--'],
  }
}

/** The relay to an egress proxy that listens on this socket of the machine. */
export function proxyRelay(socket: string): Relay {
  return { port: proxyPort, socket }
}

const proxy = `http://127.0.0.1:${proxyPort}`
const noProxy = '127.0.0.1,localhost'

/** What lets programs find the egress proxy. */
export const proxyEnvironment: Readonly<Record<string, string>> = {
  HTTP_PROXY: proxy,
  HTTPS_PROXY: proxy,
  ALL_PROXY: proxy,
  NO_PROXY: noProxy,
  http_proxy: proxy,
  https_proxy: proxy,
  all_proxy: proxy,
  no_proxy: noProxy,
  // Node's own fetch asks the proxy only when told to.
  NODE_USE_ENV_PROXY: '1',
}
