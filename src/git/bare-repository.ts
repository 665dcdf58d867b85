import { join } from 'node:path'

/** A file in a mirror that says: something here could not be read, look before the next use. */
export const suspectMark = 'suspect'

/**
 * The files of an empty bare repository: what `git init --bare` makes, without its templates and its process. HEAD
 * stands on a branch that never is there, so that no tree's attributes are read.
 */
export function repositoryFiles(sha: string, alternate?: string): Record<string, string> {
  return {
    ...(alternate === undefined ? {} : { 'objects/info/alternates': `${join(alternate, 'objects')}\n` }),
    // Git wants these two folders, and skips names that begin with a dot.
    'objects/.folder': '',
    'refs/.folder': '',
    config: `${formatOf(sha)}\tbare = true\n`,
    // Last: a repository without it is taken for one that was not finished, and is made again.
    HEAD: 'ref: refs/heads/none\n',
  }
}

/** The first lines of a repository's config, for the length of its SHAs; the section `core` stays open. */
export function formatOf(sha: string): string {
  return sha.length === 64
    ? '[extensions]\n\tobjectFormat = sha256\n[core]\n\trepositoryFormatVersion = 1\n'
    : '[core]\n\trepositoryFormatVersion = 0\n'
}
