import type { TestProject } from 'vitest/node'
import { run } from '../../src/process/run.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Why no sandbox can be made on this machine; `null`: they can. */
    noSandbox: string | null
  }
}

const plain = [
  'bwrap',
  '--unshare-user',
  '--unshare-net',
  '--unshare-pid',
  '--ro-bind',
  '/',
  '/',
  '--proc',
  '/proc',
  'true',
]
const dropped = ['setpriv', '--reuid', '65000', '--regid', '65000', '--clear-groups', ...plain]

/** Tells all tests what the machine was asked. */
export async function setup(project: TestProject): Promise<void> {
  project.provide('noSandbox', await whyNoSandbox())
}

/** Asks the machine, apart from our own code, why no sandbox can be made; `null`: they can. */
export async function whyNoSandbox(): Promise<string | null> {
  try {
    const argv = process.getuid?.() === 0 ? dropped : plain
    const ended = await run(argv, { env: { PATH: '/usr/bin:/bin' }, timeoutMs: 60_000 })
    return ended.exitCode === 0 ? null : ended.stderr.trim()
  } catch (error) {
    return String(error)
  }
}
