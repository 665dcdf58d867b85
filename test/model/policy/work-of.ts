import type {
  JudgedChange,
  JudgedCommit,
  JudgedWork,
  SecretFinding,
  TreeEntry,
} from '../../../src/model/policy/work.ts'

/** A file of a tree: its text, its bytes, or those with a mode. */
export type File = string | Buffer | { readonly mode: string; readonly content: string }
export type Files = Readonly<Record<string, File>>

export interface Extras {
  readonly commits?: readonly JudgedCommit[]
  readonly secretFindings?: readonly SecretFinding[]
}

/** What was asked of the work, so that a test can see what a rule reads. */
export interface Asked {
  readonly reads: string[]
  trees: number
}

/** Work made of two trees, told as git tells it. What both have alike is no change. */
export function workOf(
  base: Files,
  head: Files,
  extras: Extras = {},
): JudgedWork & { readonly asked: Asked } {
  const asked: Asked = { reads: [], trees: 0 }
  const paths = [...new Set([...Object.keys(base), ...Object.keys(head)])].toSorted()
  const changes = paths.flatMap((path) => changeOf(path, base[path], head[path]))
  return {
    asked,
    changes,
    insertions: changes.reduce((sum, change) => sum + (change.insertions ?? 0), 0),
    deletions: changes.reduce((sum, change) => sum + (change.deletions ?? 0), 0),
    commits: extras.commits ?? [],
    secretFindings: extras.secretFindings ?? [],
    readFile: (at, path, maxBytes) => {
      asked.reads.push(`${at}:${path}`)
      const files = at === 'base' ? base : head
      const file = Object.hasOwn(files, path) ? files[path] : undefined
      return Promise.resolve(file === undefined ? null : bytesOf(file).subarray(0, maxBytes))
    },
    headTree: () => {
      asked.trees += 1
      const tree = Object.entries(head).map(([path, file]): [string, TreeEntry] => {
        const mode = modeOf(file)
        return [path, { mode, bytes: mode === '160000' ? null : bytesOf(file).length }]
      })
      return Promise.resolve(new Map(tree))
    },
  }
}

export function symlink(target: string): File {
  return { mode: '120000', content: target }
}

export function executable(content: string): File {
  return { mode: '100755', content }
}

export const submodule: File = { mode: '160000', content: '' }

function changeOf(path: string, base: File | undefined, head: File | undefined): JudgedChange[] {
  const [oldMode, newMode] = [modeOf(base), modeOf(head)]
  const [before, after] = [bytesOf(base), bytesOf(head)]
  if (oldMode === newMode && before.equals(after)) return []
  const isOpaque =
    [before, after].some((bytes) => bytes.subarray(0, 8000).includes(0)) ||
    [oldMode, newMode].includes('160000')
  const [removed, added] = [linesOf(before), linesOf(after)]
  const status =
    base === undefined
      ? 'added'
      : head === undefined
        ? 'deleted'
        : oldMode.slice(0, 3) === newMode.slice(0, 3)
          ? 'modified'
          : 'type_changed'
  return [
    {
      path,
      status,
      oldMode,
      newMode,
      insertions: isOpaque ? null : added.filter((line) => !removed.includes(line)).length,
      deletions: isOpaque ? null : removed.filter((line) => !added.includes(line)).length,
    },
  ]
}

function modeOf(file: File | undefined): string {
  if (file === undefined) return '000000'
  return typeof file === 'object' && 'mode' in file ? file.mode : '100644'
}

function bytesOf(file: File | undefined): Buffer {
  if (file === undefined) return Buffer.alloc(0)
  if (Buffer.isBuffer(file)) return file
  return Buffer.from(typeof file === 'string' ? file : file.content)
}

function linesOf(bytes: Buffer): string[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
}
