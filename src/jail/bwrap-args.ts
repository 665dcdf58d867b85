import { statSync } from 'node:fs'
import { insideUid, type JailSpec, type Mount } from './jail-spec.ts'

/** Parts of /proc that tell of the machine. */
const procSecrets = [
  'acpi',
  'asound',
  'kallsyms',
  'kcore',
  'key-users',
  'keys',
  'kmsg',
  'latency_stats',
  'sched_debug',
  'scsi',
  'sysrq-trigger',
  'timer_list',
  'timer_stats',
]
const forOthers = 0o006

/** What makes a jail a jail, as arguments of bubblewrap. */
export function isolationArguments(spec: JailSpec): string[] {
  const uid = String(insideUid)
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
    ...words('--uid', uid, '--gid', uid),
    ...words('--hostname', 'nightshift'),
    ...words('--cap-drop', 'ALL'),
  ]
}

/** The file system of a jail, as arguments of bubblewrap. */
export function fileSystemArguments(spec: JailSpec): string[] {
  return [
    ...words('--proc', '/proc'),
    ...words('--ro-bind', '/proc/sys', '/proc/sys'),
    ...procMasks(spec),
    ...words('--dev', '/dev'),
    ...words('--perms', '1777', '--size', String(spec.shmBytes), '--tmpfs', '/dev/shm'),
    ...spec.mounts.flatMap(mountArguments),
    ...spec.mounts.flatMap((mount) => (mount.kind === 'empty' ? ['--remount-ro', mount.at] : [])),
    ...words('--remount-ro', '/dev'),
    ...words('--remount-ro', '/'),
    ...words('--chdir', spec.cwd),
  ]
}

// One option a line, with its values.
function words(...args: string[]): string[] {
  return args
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
    case 'empty':
      return ['--perms', '0755', '--tmpfs', mount.at]
    case 'link':
      return ['--symlink', mount.target, mount.at]
    default:
      return mount satisfies never
  }
}

/**
 * Only what others may read or write: the rest belongs to the machine's root, who is nobody inside, and each mount
 * costs time at every start.
 */
function procMasks(spec: JailSpec): string[] {
  return procSecrets.flatMap((name) => {
    const path = `/proc/${name}`
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined || (stat.mode & forOthers) === 0) return []
    return ['--ro-bind', stat.isDirectory() ? spec.emptyFolder : spec.emptyFile, path]
  })
}
