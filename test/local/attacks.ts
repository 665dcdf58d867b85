import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import type { ExecEnd } from '../../src/ports/runtime.ts'
import { sh, type Workplace } from './workplace.ts'

/** What an attack did, in a form that a child process can hand over. */
export type Attempts = Readonly<
  Record<string, Pick<ExecEnd, 'kind' | 'exitCode' | 'stdoutTail' | 'stderrTail'>>
>

/** What an attack prints where it came through. */
export const broken = 'BROKEN'
const secret = 'the-secret-of-someone-else'
const mebibyte = 1024 * 1024

/** Attacks that print {@link broken} where they come through. The variables tell what is outside. */
const scripts: Readonly<Record<string, string>> = {
  'reading the files of another task': 'cat "$OTHER_TASK/clone/secret"',
  'finding the folders of other tasks': 'ls -d "$HOME_FOLDER"/work/*',
  'finding a secret in any environment':
    'cat /proc/[0-9]*/environ | tr "\\0" "\\n" | grep -v SECRET= | grep "$SECRET"',
  'seeing a process outside': 'test -d /proc/$OUTSIDE_PID && grep -q 54321 /proc/$OUTSIDE_PID/cmdline',
  'signalling a process outside': 'test -d /proc/$OUTSIDE_PID && kill -0 $OUTSIDE_PID',
  'having any capability': 'grep -E "^Cap(Eff|Prm|Inh|Amb).*[1-9a-f]" /proc/self/status',
  'gaining rights by a setuid program': 'grep "^NoNewPrivs:.*0" /proc/self/status',
  'naming the machine anew': 'echo owned >/proc/sys/kernel/hostname || hostname owned',
  'changing a setting of the kernel': 'echo 1 >/proc/sys/vm/drop_caches || echo 1 >/proc/sys/kernel/panic',
  'finding /proc/sys writable': "! grep -q ' /proc/sys ro,' /proc/self/mountinfo",
  'finding a writable place outside its own':
    'find / -xdev -writable -not -type l | grep -vxE "/work|/out|/tmp|/home/agent|/proc|/dev/.*"',
  'pressing the magic key': 'echo s >/proc/sysrq-trigger && test -s /proc/sysrq-trigger',
  mounting: 'mount -t tmpfs none /tmp || mount --bind /etc /tmp || mount -t proc proc /proc',
  'making the system writable':
    'mount -o remount,rw /usr || touch /usr/x || touch /etc/x || touch /x || touch /dev/x',
  'taking a cover away': 'umount /proc/sys || umount /etc/passwd',
  'making a user namespace': 'unshare --user true || unshare --user --map-root-user true',
  'making any other namespace': 'unshare --mount true || unshare --net true || unshare --pid true',
  'putting keys into a terminal': `perl -e 'open(T, "<", "/dev/tty") or open(T, "<&", 0); ioctl(T, 0x5412, "x") or exit 1'`,
  'reading /etc/shadow': 'test -s /etc/shadow && cat /etc/shadow',
  'reading host keys': 'cat /etc/ssh/ssh_host_*_key',
  'reaching a server on this machine': `perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0); connect(S, pack_sockaddr_in($ENV{PORT}, inet_aton("127.0.0.1"))) or exit 1'`,
  'reaching an abstract socket': `perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0); connect(S, pack_sockaddr_un("\\0$ENV{ABSTRACT}")) or exit 1'`,
  'reaching a socket in a folder': `perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0); connect(S, pack_sockaddr_un($ENV{SOCKET})) or exit 1'`,
  'finding sockets of services': 'ls -d /run/* /var/run/* /tmp/.X11-unix /var/lib/* | grep -q .',
  'reaching the host of a virtual machine': `perl -MSocket -e 'socket(S, 40, SOCK_STREAM, 0) or exit 1'`,
  'having a network card': 'ls /sys/class/net || grep -v -e lo: -e Inter -e face /proc/net/dev',
  'filling memory by /dev/shm':
    'dd if=/dev/zero of=/dev/shm/x bs=1M count=300 2>/dev/null; s=$?; rm -f /dev/shm/x; test $s = 0',
  'writing an endless file': 'truncate -s 5G /tmp/x',
  'dumping core': 'test "$(ulimit -c)" != 0',
  'making more processes than allowed': `perl -e 'for (1..200) { $p = fork; exit 1 if !defined $p; sleep 100 if !$p }'`,
  'using the keys that the kernel holds': `perl -e 'syscall($ENV{KEYCTL}, 0, -3, 0) >= 0 or exit 1'`,
  'reading memory of the machine': 'cat /dev/mem || cat /dev/kmsg || head -c 1 /proc/kcore',
}

const timeMs = 120_000

/** Tries every attack from a sandbox, with something outside for each that could be reached. */
export async function attack(place: Workplace): Promise<Attempts> {
  const attempts: Record<string, ExecEnd> = {}
  const victim = await place.open({ taskId: 'VICTIM' })
  await sh(victim, `echo ${secret} >secret`)
  const outside = spawn('/bin/sleep', ['54321'], { env: { TOKEN: secret }, stdio: 'ignore' })
  const loopback = await listen({ port: 0, host: '127.0.0.1' })
  const servers = await Promise.all([
    listen({ path: `\0nightshift-attack-${process.pid}` }),
    listen({ path: join(place.folder, 'service.sock') }),
  ])
  const env = {
    SECRET: secret,
    KEYCTL: process.arch === 'arm64' ? '219' : '250',
    OTHER_TASK: join(place.home, 'work', 'VICTIM-1-agent'),
    HOME_FOLDER: place.home,
    OUTSIDE_PID: String(outside.pid),
    PORT: String((loopback.address() as AddressInfo).port),
    ABSTRACT: `nightshift-attack-${process.pid}`,
    SOCKET: join(place.folder, 'service.sock'),
  }
  try {
    const sandbox = await place.open({
      taskId: 'ATTACKER',
      limits: { memoryBytes: 256 * mebibyte, processes: 64 },
    })
    for (const [name, script] of Object.entries(scripts)) {
      const tried = `if { ${script}\n}; then echo ${broken}; else echo held; fi`
      attempts[name] = await sh(sandbox, tried, { env, timeoutMs: timeMs })
    }
    const hog = `perl -e '$x = "a" x (1500 * 1024 * 1024); print "${broken}"; sleep 5'`
    attempts['taking more memory than allowed'] = await sh(sandbox, hog, { timeoutMs: timeMs })
    attempts['killing all it can'] = await sh(sandbox, 'kill -9 -1; echo alone', { timeoutMs: timeMs })
    attempts['stopping itself'] = await sh(sandbox, `kill -STOP $$; echo ${broken}`, { timeoutMs: 300 })
    attempts['working on afterwards'] = await sh(sandbox, 'echo fine')
    if (outside.exitCode !== null || outside.signalCode !== null)
      throw new Error('a process outside was ended')
  } finally {
    outside.kill('SIGKILL')
    for (const server of [loopback, ...servers]) server.close()
  }
  return attempts
}

async function listen(where: { port: number; host: string } | { path: string }): Promise<Server> {
  const server = createServer((socket) => socket.end('hello'))
  await once(server.listen(where), 'listening')
  return server
}
