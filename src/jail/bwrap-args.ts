import { existsSync } from 'node:fs'
import { insideUid, type JailSpec, type Mount } from './jail-spec.ts'

/** Parts of /proc that tell of the machine or steer it. Most are closed by their mode as well; this does not rely on it. */
const procFiles = [
  'kcore',
  'keys',
  'key-users',
  'kmsg',
  'kallsyms',
  'kpagecgroup',
  'kpagecount',
  'kpageflags',
  'latency_stats',
  'sched_debug',
  'sysrq-trigger',
  'timer_list',
  'timer_stats',
]
const procFolders = ['acpi', 'scsi', 'bus', 'irq', 'fs', 'driver', 'dynamic_debug']

/** What every jail is started with, on the command line: no secret in it, and never cut short. */
export function isolationArguments(spec: JailSpec): string[] {
  return [
    '--unshare-user',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    ...(spec.network === 'none' ? ['--unshare-net'] : []),
    '--disable-userns',
    '--die-with-parent',
    '--new-session',
    '--clearenv',
    ...['--uid', String(insideUid), '--gid', String(insideUid)],
    ...['--hostname', 'nightshift'],
    ...['--cap-drop', 'ALL'],
  ]
}

/** The file system of a jail, as arguments of bubblewrap. */
export function fileSystemArguments(spec: JailSpec): string[] {
  return [
    ...['--proc', '/proc'],
    ...['--ro-bind', '/proc/sys', '/proc/sys'],
    ...procMasks(spec),
    ...['--dev', '/dev'],
    ...['--perms', '1777', '--size', String(spec.shmBytes), '--tmpfs', '/dev/shm'],
    ...spec.mounts.flatMap(mountArguments),
    ...['--remount-ro', '/dev'],
    ...['--remount-ro', '/'],
    ...['--chdir', spec.cwd],
  ]
}

/** The environment of one command, as arguments of bubblewrap. */
export function environmentArguments(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value])
}

/** Arguments as bubblewrap reads them from a file: each ended by a NUL. */
export function encodeArguments(args: readonly string[]): Buffer {
  const hostile = args.find((argument) => argument.includes('\0'))
  if (hostile !== undefined) throw new TypeError(`an argument holds a NUL: ${JSON.stringify(hostile)}`)
  return Buffer.from(args.map((argument) => `${argument}\0`).join(''))
}

function mountArguments(mount: Mount): string[] {
  switch (mount.kind) {
    case 'read':
      return ['--ro-bind', mount.from, mount.to]
    case 'write':
      return ['--bind', mount.from, mount.to]
    case 'link':
      return ['--symlink', mount.target, mount.at]
    default:
      return mount satisfies never
  }
}

function procMasks(spec: JailSpec): string[] {
  const bind = (empty: string) => (name: string) => {
    const path = `/proc/${name}`
    return existsSync(path) ? ['--ro-bind', empty, path] : []
  }
  return [...procFiles.flatMap(bind(spec.emptyFile)), ...procFolders.flatMap(bind(spec.emptyFolder))]
}
