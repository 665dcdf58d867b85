/** Numbers of system calls, from the kernel's unistd.h, and the architecture's own, from linux/audit.h. */
interface Numbers {
  readonly audit: number
  readonly socket: number
  readonly ioctl: number
  /** Kernel keys, tracing of the machine and the like: nothing a build needs. */
  readonly denied: readonly number[]
}

const architectures: Readonly<Record<string, Numbers>> = {
  x64: {
    audit: 0xc000003e,
    socket: 41,
    ioctl: 16,
    // syslog, quotactl, kexec_load, add_key, request_key, keyctl, perf_event_open, open_by_handle_at, bpf, userfaultfd
    denied: [103, 179, 246, 248, 249, 250, 298, 304, 321, 323],
  },
  arm64: {
    audit: 0xc00000b7,
    socket: 198,
    ioctl: 29,
    denied: [116, 60, 104, 217, 218, 219, 241, 265, 280, 282],
  },
}

/** The same number everywhere: io_uring_setup, io_uring_enter, io_uring_register. They open sockets past any filter. */
const ioUring = [425, 426, 427]
/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. Others, such as AF_VSOCK to a virtual machine's host, have no namespace. */
const allowedFamilies = [1, 2, 10, 16]
/** TIOCSTI and TIOCLINUX put characters into a terminal's input. */
const deniedTerminalCalls = [0x5412, 0x541c]
/** On x86-64, numbers from here on are the x32 calls, which would pass by a filter of the usual ones. */
const firstForeignCall = 0x40000000

const errno = { EPERM: 1, ENOSYS: 38, EAFNOSUPPORT: 97 } as const
const allow = 0x7fff0000
const offsets = { number: 0, architecture: 4, firstArgument: 16, secondArgument: 24 } as const

type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, value: number]
const load = (offset: number): Instruction => [0x20, 0, 0, offset]
const answer = (value: number): Instruction => [0x06, 0, 0, value]
const refuse = (code: number): Instruction => answer(0x00050000 | code)
/** Goes on with `then` where equal, else leaves it out. */
const whenEqual = (value: number, then: readonly Instruction[]): Instruction[] => [
  [0x15, 0, then.length, value],
  ...then,
]

let compiled: Buffer | null = null

/**
 * A seccomp filter against what no namespace holds back: the kernel's keyrings, sockets to a virtual machine's host,
 * io_uring, input put into a terminal. In the form that `bwrap --seccomp` reads.
 */
export function syscallFilter(): Buffer {
  compiled ??= compile(architectures[process.arch] ?? null)
  return compiled
}

function compile(numbers: Numbers | null): Buffer {
  if (numbers === null) return encode([answer(allow)])
  return encode([
    load(offsets.architecture),
    [0x15, 1, 0, numbers.audit],
    refuse(errno.ENOSYS),
    load(offsets.number),
    [0x35, 0, 1, firstForeignCall],
    refuse(errno.ENOSYS),
    ...ioUring.flatMap((call) => whenEqual(call, [refuse(errno.ENOSYS)])),
    ...numbers.denied.flatMap((call) => whenEqual(call, [refuse(errno.EPERM)])),
    ...whenEqual(numbers.socket, [
      load(offsets.firstArgument),
      ...allowedFamilies.flatMap((family) => whenEqual(family, [answer(allow)])),
      refuse(errno.EAFNOSUPPORT),
    ]),
    ...whenEqual(numbers.ioctl, [
      load(offsets.secondArgument),
      ...deniedTerminalCalls.flatMap((call) => whenEqual(call, [refuse(errno.EPERM)])),
      answer(allow),
    ]),
    answer(allow),
  ])
}

function encode(instructions: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(instructions.length * 8)
  for (const [index, [code, jumpTrue, jumpFalse, value]] of instructions.entries()) {
    bytes.writeUInt16LE(code, index * 8)
    bytes.writeUInt8(jumpTrue, index * 8 + 2)
    bytes.writeUInt8(jumpFalse, index * 8 + 3)
    bytes.writeUInt32LE(value, index * 8 + 4)
  }
  return bytes
}
