import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { strayDescriptors } from './stray-descriptors.ts'

/** A program that is started and watched from afar, in a process group of its own, with an empty environment. */
export interface ProgramStart {
  readonly argv: readonly string[]
  /** From descriptor 0 on. The last is the gate where {@link gate} is set. */
  readonly stdio: readonly (Descriptor | null)[]
  /**
   * One more descriptor, behind the others: the program prints a byte there when it is ready, and goes on when it reads
   * a line. Where the end comes instead, whoever started it is dead.
   */
  readonly gate: boolean
}

/** An open file that is opened anew for the program: with a position of its own, and only as far as it may. */
export interface Descriptor {
  /** As this process numbers it. */
  readonly fd: number
  readonly access: 'read' | 'write' | 'both'
}

export interface StartedProgram {
  /** Leads its group. */
  readonly pid: number
  /** Resolves when it has ended, however; rejects where nobody can tell any more. */
  readonly exited: Promise<void>
}

export interface Starter {
  /** Rejects with the operating system's error where it could not be started. Descriptors may be closed afterwards. */
  start(program: ProgramStart): Promise<StartedProgram>
  /** Descriptors that the program inherits by mistake and that lead somewhere. */
  readonly strays: () => readonly number[]
}

/** Starts programs as children of this process. */
export const ownStarter: Starter = {
  async start(program) {
    const child = startProgram(program, process.pid)
    const exited = once(child, 'exit').then(() => {})
    // The error of a start that failed is thrown here, and must not count as unhandled there.
    exited.catch(() => {})
    await once(child, 'spawn')
    return { pid: child.pid ?? 0, exited }
  },
  strays: strayDescriptors,
}

const accessFlags = { read: constants.O_RDONLY, write: constants.O_WRONLY, both: constants.O_RDWR }

/** Starts a program whose descriptors are those of the process `owner`. Throws where one cannot be opened. */
export function startProgram({ argv, stdio, gate }: ProgramStart, owner: number): ChildProcess {
  const opened: number[] = []
  try {
    const fds = stdio.map((wanted) => {
      if (wanted === null) return 'ignore' as const
      const fd = openSync(`/proc/${owner}/fd/${wanted.fd}`, accessFlags[wanted.access])
      opened.push(fd)
      return fd
    })
    const [program = '', ...args] = argv
    const child = spawn(program, args, {
      cwd: '/',
      env: {},
      detached: true,
      stdio: gate ? [...fds, 'pipe'] : fds,
    })
    if (gate) openGate(child)
    return child
  } finally {
    // What the child holds must not be held by us: a pipe ends when its last writer is gone.
    for (const fd of opened) closeSync(fd)
  }
}

/** Lets the program go on as soon as it asks to. */
function openGate(child: ChildProcess): void {
  const connection = child.stdio?.at(-1)
  if (!(connection instanceof Socket)) return
  connection.once('data', () => connection.end('go\n'))
  // A program that is ended before it asks.
  connection.on('error', () => {})
}
