import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Mount } from './jail-spec.ts'

const folder = '/run/nightshift'
const socket = `${folder}/proxy.sock`
const node = `${folder}/node`
const port = 3128

// As source here, as JavaScript where the project was built; the ending tells Node that it is a module.
const relaySource = import.meta.url.endsWith('.ts') ? 'relay.ts' : 'relay.js'
const relay = `${folder}/${relaySource.replace('relay.', 'relay.m')}`

/** What a jail without a network needs to reach the egress proxy that listens on this socket of the machine. */
export function wayOut(socketPath: string): {
  mounts: Mount[]
  prefix: string[]
  env: Record<string, string>
} {
  const proxy = `http://127.0.0.1:${port}`
  const noProxy = '127.0.0.1,localhost'
  return {
    mounts: [
      { kind: 'read', from: realpathSync(process.execPath), to: node },
      { kind: 'read', from: fileURLToPath(new URL(relaySource, import.meta.url)), to: relay },
      // Writable, since connecting to a socket counts as writing.
      { kind: 'write', from: socketPath, to: socket },
    ],
    prefix: [node, relay, String(port), socket],
    env: {
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
    },
  }
}
