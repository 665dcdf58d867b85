import { readFileSync } from 'node:fs'
import type { Problem } from '../ports/runtime.ts'
import { run } from '../process/run.ts'
import { findPrograms } from './programs.ts'

const oldestBubblewrap = [0, 8] as const
const env = { LC_ALL: 'C' }
const probeMs = 20_000

/** What keeps jails from being made here: programs that are missing, rights that the machine does not give. Never throws. */
export async function jailProblems(): Promise<Problem[]> {
  const root = process.getuid?.() === 0
  const found = findPrograms(root)
  if ('problems' in found) return found.problems
  const { bwrap } = found.programs
  try {
    const version = (await run([bwrap, '--version'], { env, timeoutMs: probeMs })).stdout.toString().trim()
    if (isTooOld(version)) {
      return [
        {
          what: `${version} is too old: 0.8 or later is needed, which can forbid new user namespaces`,
          todo: 'install a newer bubblewrap, such as that of Debian 12 or Ubuntu 24.04',
        },
      ]
    }
  } catch (error) {
    return [
      { what: `${bwrap} cannot be run: ${String(error)}`, todo: 'apt-get install --reinstall bubblewrap' },
    ]
  }
  return [...(root ? rootProblems() : []), ...namespaceProblems()]
}

/** Why making a jail failed, in words, from what bubblewrap said. */
export function explainFailure(said: string): Problem {
  const root = process.getuid?.() === 0
  if (root && !hasCapability(sysAdmin)) return withoutSysAdmin
  const named = namespaceProblems()[0] ?? appArmorProblem()
  if (named !== null) return named
  return {
    what: `a sandbox cannot be started here: ${said.trim().slice(-500)}`,
    todo:
      'allow user namespaces to this user; in a container: run it with --privileged, or with ' +
      '--cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined',
  }
}

const sysAdmin = 21
const withoutSysAdmin: Problem = {
  what: 'this is root without the capability CAP_SYS_ADMIN, as in most containers, and can make no sandbox',
  todo: 'start the container with --privileged, or run nightshift on the machine itself, as root or as a normal user',
}

function rootProblems(): Problem[] {
  return hasCapability(sysAdmin) ? [] : [withoutSysAdmin]
}

function hasCapability(bit: number): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readOr('/proc/self/status', ''))?.[1]
  return effective === undefined || (BigInt(`0x${effective}`) & (1n << BigInt(bit))) !== 0n
}

function namespaceProblems(): Problem[] {
  const problems: Problem[] = []
  if (setting('kernel/unprivileged_userns_clone') === '0') {
    problems.push({
      what: 'user namespaces are switched off (kernel.unprivileged_userns_clone is 0)',
      todo: 'sysctl -w kernel.unprivileged_userns_clone=1, and the same in a file of /etc/sysctl.d',
    })
  }
  if (setting('user/max_user_namespaces') === '0') {
    problems.push({
      what: 'user namespaces are switched off (user.max_user_namespaces is 0)',
      todo: 'sysctl -w user.max_user_namespaces=15000, and the same in a file of /etc/sysctl.d',
    })
  }
  return problems
}

/** What Ubuntu's restriction needs, where it is on; a profile for bubblewrap may be there already. */
function appArmorProblem(): Problem | null {
  const restricted = setting('kernel/apparmor_restrict_unprivileged_userns') === '1'
  if (!restricted) return null
  return {
    what: 'AppArmor forbids user namespaces to bubblewrap (kernel.apparmor_restrict_unprivileged_userns is 1)',
    todo:
      'apt-get install apparmor-profiles && ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict ' +
      '/etc/apparmor.d/ && systemctl reload apparmor; or, for the whole machine: ' +
      'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  }
}

function setting(name: string): string {
  return readOr(`/proc/sys/${name}`, '').trim()
}

function isTooOld(version: string): boolean {
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(version) ?? []
  const [oldMajor, oldMinor] = oldestBubblewrap
  return Number(major) < oldMajor || (Number(major) === oldMajor && Number(minor) < oldMinor)
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return otherwise
  }
}
