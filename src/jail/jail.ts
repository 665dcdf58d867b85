import { closeSync, realpathSync } from 'node:fs'
import type { Socket } from 'node:net'
import { ownStarter, type Descriptor, type StartedProgram, type Starter } from '../process/start.ts'
import {
  encodeArguments,
  environmentArguments,
  fileSystemArguments,
  isolationArguments,
} from './bwrap-args.ts'
import type { JailPrograms, JailSpec } from './jail-spec.ts'
import { openPipe, type OutputPipes } from './output-pipes.ts'
import { PassedFile } from './passed-file.ts'
import { syscallFilter } from './syscall-filter.ts'
import { stagingArguments } from './staging.ts'

/** What is started in a jail, and where its processes are kept account of. */
export interface JailCommand {
  readonly argv: readonly string[]
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
  readonly stdin: Buffer | null
  readonly pipes: OutputPipes
  /** File to which each start adds its /proc/PID/stat, so that others can end it when we no longer can. */
  readonly runFile: string
  /** `cgroup.procs` files that the jail joins before anything else runs. */
  readonly cgroupProcs: readonly string[]
}

export interface StartedJail {
  readonly program: StartedProgram
  readonly stdout: Socket
  readonly stderr: Socket
  /** What bubblewrap told so far. */
  report(): JailReport
  /** Closes what {@link report} reads from. */
  release(): void
}

export interface JailReport {
  /** The process, by the machine's numbering, whose end proves that of everything inside; `null`: none was made. */
  readonly initPid: number | null
  /** Bubblewrap came as far as making the jail itself. */
  readonly made: boolean
  /** How the command ended; `null`: it did not, or never began. */
  readonly exitCode: number | null
}

/** A file, and the number of its descriptor in the child. */
interface Passed {
  readonly file: PassedFile
  readonly childFd: string
}

/** Largest file that a command can write. */
const maxFileBytes = 4 * 1024 ** 3
const maxOpenFiles = 65_536
/** Exit code of the launcher where the jail could not be prepared. */
const launcherFailed = 125

// As short as can be: every process in the chain costs time. Sizes of `ulimit -f` are in blocks of 512 bytes.
const launcher = [
  'unset PWD OLDPWD SHLVL',
  'ulimit -c 0',
  `ulimit -n ${maxOpenFiles} 2>/dev/null || ulimit -n "$(ulimit -Hn)"`,
  `ulimit -f ${maxFileBytes / 512}`,
  `read -r stat </proc/$$/stat && echo "$stat" >>"$1" || exit ${launcherFailed}`,
  'shift',
  `while [ "$1" != -- ]; do echo 0 >"$1" || exit ${launcherFailed}; shift; done`,
  'shift',
  'exec "$@"',
]

/**
 * Stands before every command inside: says that all is made, and begins only when its starter answers. Bubblewrap binds
 * the jail's life to the starter's at the end of its work only, so without this the command of a jail whose maker was
 * just killed would run on. `$0` is the descriptor of the connection to us; when we are dead, it has ended.
 */
const gate = 'printf . >&$0 && read -r go <&$0 || exit 125; eval "exec $0>&-"; exec "$@"'

/** A jail that is described once and started once for each command. */
export class Jail {
  readonly #programs: JailPrograms
  readonly #spec: JailSpec
  /** A folder for what is handed over. */
  readonly #scratch: string
  readonly #fixed: readonly string[]
  readonly #staging: readonly string[] | null
  readonly #starter: Starter

  /** Throws where a source of the spec is not there. */
  constructor(programs: JailPrograms, spec: JailSpec, scratch: string, starter: Starter = ownStarter) {
    // A symbolic link on the way to a source could lead through a closed folder; real paths are looked up once, here.
    const mounts = spec.mounts.map((mount) =>
      'from' in mount ? { ...mount, from: realpathSync.native(mount.from) } : mount,
    )
    this.#programs = programs
    this.#spec = { ...spec, mounts }
    this.#scratch = scratch
    this.#starter = starter
    this.#fixed = [...isolationArguments(this.#spec), ...fileSystemArguments(this.#spec)]
    const sources = mounts.flatMap((mount) => ('from' in mount ? [mount.from] : []))
    this.#staging =
      spec.dropTo === null ? null : stagingArguments([...sources, realpathSync.native(spec.folder)])
  }

  /** Starts a command. Rejects with the operating system's error where files or processes cannot be made. */
  async start(command: JailCommand): Promise<StartedJail> {
    const files: PassedFile[] = []
    const pass = (content: Uint8Array): Passed => {
      const file = new PassedFile(this.#scratch, content)
      files.push(file)
      return { file, childFd: String(files.length + 2) }
    }
    const ends: ReturnType<typeof openPipe>[] = []
    let stdin: PassedFile | null = null
    let started: StartedJail | null = null
    try {
      const status = pass(Buffer.alloc(0))
      const outer = this.#staging === null ? null : pass(Buffer.alloc(0))
      const args = pass(encodeArguments([...this.#fixed, ...environmentArguments(command.env)]))
      const filter = pass(syscallFilter())
      const staging = this.#staging === null ? null : pass(encodeArguments(this.#staging))
      const gateFd = files.length + 3
      const { bwrap, sh, shInside = sh } = this.#programs
      const fds = ['--json-status-fd', status.childFd, '--args', args.childFd, '--seccomp', filter.childFd]
      const inner = [bwrap, ...fds, '--', shInside, '-c', gate, String(gateFd), ...command.argv]
      const argv = staging === null || outer === null ? inner : this.#staged(staging, outer, inner)
      // Readable by the jail's user, who may open it again as /dev/stdin; it has no name to be found by.
      if (command.stdin !== null) stdin = new PassedFile(this.#scratch, command.stdin, 0o644)
      const stdout = openPipe(command.pipes.stdout)
      ends.push(stdout)
      const stderr = openPipe(command.pipes.stderr)
      ends.push(stderr)
      const program = await this.#starter.start({
        argv: this.#launch([command.runFile, ...command.cgroupProcs, '--', ...argv], gateFd),
        stdio: [
          stdin === null ? null : { fd: stdin.fd, access: 'read' },
          { fd: stdout.writer, access: 'write' },
          { fd: stderr.writer, access: 'write' },
          ...files.map(({ fd }): Descriptor => ({ fd, access: 'both' })),
        ],
        gate: true,
      })
      started = {
        program,
        stdout: stdout.reader,
        stderr: stderr.reader,
        report: () => {
          const said = status.file.read(4096)
          // Where the first bubblewrap has a process namespace, everything ends with that one's first process.
          const holdsAll = this.#staging?.includes('--unshare-pid') === true
          return readReport(said, holdsAll ? (outer?.file.read(4096) ?? said) : said)
        },
        release: () => {
          status.file.close()
          outer?.file.close()
        },
      }
      files.splice(0, outer === null ? 1 : 2)
      return started
    } finally {
      // What the child holds now must not be held by us: a pipe ends when its last writer is gone.
      for (const end of ends) closeSync(end.writer)
      for (const file of files) file.close()
      stdin?.close()
      if (started === null) for (const end of ends) end.reader.destroy()
    }
  }

  /** The shell that starts it all. Descriptors up to `lastPassed` are taken by what is passed. */
  #launch(args: readonly string[], lastPassed: number): string[] {
    const { sh, bash } = this.#programs
    const strays = this.#starter.strays().filter((fd) => fd > lastPassed)
    const script = [...strays.map((fd) => `exec ${fd}>&-`), ...launcher].join('\n')
    // Only bash can close a descriptor whose number has two digits; it measures in the shell's own blocks when told.
    const shell = strays.length === 0 || bash === null ? [sh] : [bash, '--posix']
    return [...shell, '-c', script, 'sh', ...args]
  }

  #staged(args: Passed, status: Passed, inner: readonly string[]): string[] {
    const { bwrap, setpriv } = this.#programs
    if (setpriv === null) throw new Error('setpriv is needed to drop to another user')
    const uid = String(this.#spec.dropTo)
    const outer = [bwrap, '--args', args.childFd, '--json-status-fd', status.childFd, '--']
    const drop = [setpriv, '--reuid', uid, '--regid', uid, '--clear-groups', '--inh-caps=-all', '--']
    return [...outer, ...drop, ...inner]
  }
}

/** `inner` is what the jail's own bubblewrap said, `holder` what the one said with whose first process all ends. */
function readReport(inner: string, holder: string): JailReport {
  const pid = /"child-pid": *(\d+)/.exec(holder)?.[1]
  const exitCode = /"exit-code": *(\d+)/.exec(inner)?.[1]
  return {
    initPid: pid === undefined ? null : Number(pid),
    made: inner.includes('"child-pid"'),
    exitCode: exitCode === undefined ? null : Number(exitCode),
  }
}
