/** One thing that is placed into a jail. Later mounts cover earlier ones. All paths are absolute. */
export type Mount =
  /** A file or folder of the machine, seen read-only. */
  | { readonly kind: 'read'; readonly from: string; readonly to: string }
  /** A file or folder of the machine that the jail may write to. */
  | { readonly kind: 'write'; readonly from: string; readonly to: string }
  /** An empty folder, read-only in the end; later mounts may lie in it. */
  | { readonly kind: 'empty'; readonly at: string }
  /** A symbolic link. */
  | { readonly kind: 'link'; readonly target: string; readonly at: string }

/** A jail, in plain words: what is seen in it and as whom it runs. Nothing that is not named here is there. */
export interface JailSpec {
  readonly mounts: readonly Mount[]
  /** Folder inside in which commands start. */
  readonly cwd: string
  /** `none`: a loopback of its own and nothing else. `host`: the machine's network, abstract sockets included. */
  readonly network: 'none' | 'host'
  /**
   * User and group id of the machine to which root drops before the jail is made; `null`: stay who we are. Inside it
   * is always 1000.
   */
  readonly dropTo: number | null
  /** Folder of the machine that holds most sources of mounts and is reached as one. */
  readonly folder: string
  /** Bytes that /dev/shm can hold. */
  readonly shmBytes: number
  /** An empty file and an empty folder of the machine, laid over what is to be hidden. */
  readonly emptyFile: string
  readonly emptyFolder: string
}

/** User and group id of every process, as seen inside. */
export const insideUid = 1000

/** Programs of the machine that make a jail, by absolute path. */
export interface JailPrograms {
  readonly sh: string
  /** The shell as the jail sees it, where that has another root than the machine; by default the same path. */
  readonly shInside?: string
  readonly bwrap: string
  /** Closes what was inherited by mistake, where it is there. */
  readonly bash: string | null
  /** Needed by root alone. */
  readonly setpriv: string | null
  /** Needed where cgroups cannot be written. */
  readonly prlimit: string | null
}
