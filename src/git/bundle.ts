import { BadWork } from '../ports/publisher.ts'

/** A bundle of git's, taken apart. */
export interface BundleParts {
  /** What its one ref, `HEAD`, stands for. */
  readonly headSha: string
  /** Commits that whoever takes the bundle must have. */
  readonly prerequisites: readonly string[]
  /** The pack: a part of the bundle's own memory. */
  readonly pack: Buffer
}

const maxHeaderBytes = 1024 * 1024
const shaPattern = '[0-9a-f]{40}(?:[0-9a-f]{24})?'

/** Takes a bundle apart. Throws {@link BadWork} unless it is one, version 2 or 3, with `HEAD` as its only ref. */
export function parseBundle(bundle: Buffer): BundleParts {
  const end = bundle.subarray(0, maxHeaderBytes).indexOf('\n\n')
  const lines = end === -1 ? [] : bundle.toString('latin1', 0, end).split('\n')
  const signature = lines.shift()
  if (signature !== '# v2 git bundle' && signature !== '# v3 git bundle') {
    throw new BadWork(
      `what was handed over is no git bundle with a header of at most ${maxHeaderBytes} bytes`,
    )
  }
  const prerequisites: string[] = []
  const heads: string[] = []
  for (const line of lines) {
    const [, wanted] = new RegExp(`^-(${shaPattern})(?: .*)?$`).exec(line) ?? []
    const [, sha] = new RegExp(`^(${shaPattern}) HEAD$`).exec(line) ?? []
    if (wanted !== undefined) prerequisites.push(wanted)
    else if (sha !== undefined) heads.push(sha)
    else if (signature === '# v2 git bundle' || !/^@object-format=sha(?:1|256)$/.test(line)) {
      throw new BadWork(
        `the header of the bundle has a line that is not allowed: ${JSON.stringify(line.slice(0, 200))}`,
      )
    }
  }
  const [headSha] = heads
  if (headSha === undefined || heads.length !== 1) {
    throw new BadWork(`the bundle must have exactly one ref, HEAD; it has ${heads.length} of that name`)
  }
  return { headSha, prerequisites, pack: bundle.subarray(end + 2) }
}

/** Puts a bundle together; {@link parseBundle}, `git fetch` and `git bundle verify` read it. */
export function makeBundle(parts: BundleParts): Buffer {
  const signature =
    parts.headSha.length === 64 ? '# v3 git bundle\n@object-format=sha256\n' : '# v2 git bundle\n'
  const prerequisites = parts.prerequisites.map((sha) => `-${sha}\n`).join('')
  return Buffer.concat([Buffer.from(`${signature}${prerequisites}${parts.headSha} HEAD\n\n`), parts.pack])
}
