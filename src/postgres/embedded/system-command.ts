import { run, type RunResult } from '../../process/run.ts'

/** The whole environment of PostgreSQL and its tools: nothing of ours, least of all our secrets, is inherited. */
export const systemEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
}

/** Exit code that flock(1) is told to end with where another process holds the lock. */
export const lockedCode = 75

/** An account of the operating system. */
export interface OsUser {
  readonly uid: number
  readonly gid: number
}

/**
 * Runs a program of the system to its end, as another account where one is given, for two minutes at most.
 * A program that is missing answers exit code 127, as a shell would.
 */
export async function systemCommand(argv: readonly string[], as: OsUser | null = null): Promise<RunResult> {
  try {
    return await run(argv, { cwd: '/', env: systemEnvironment, timeoutMs: 120_000, ...as })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    return { exitCode: 127, stdout: Buffer.alloc(0), stderr: `${argv[0]} is not installed`, ended: 'exited' }
  }
}
