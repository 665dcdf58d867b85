import { setImmediate } from 'node:timers/promises'
import { addedLines, type AddedLines } from '../../model/added-lines.ts'
import { patchLines } from '../../model/patch-lines.ts'
import type { SecretFinding } from '../../model/policy/work.ts'
import type { Work } from '../../ports/publisher.ts'
import type { SecretScanner } from '../../ports/secret-scanner.ts'

const maxScannedBytes = 64 * 1024 * 1024
const maxBinaryBytes = 2 * 1024 * 1024
const maxBinaries = 200
/** Each is looked for in all that the work removes. */
const maxCompared = 200
const batchLength = 512 * 1024
/** In place of a file's name, where the text has none that matters: the scanner wants one. */
const unnamed = 'text'

/**
 * Looks for secrets in everything that the work brings to the remote: lines that the head has and the base had not,
 * lines that a commit adds and a later one removes, what commits say, names, and the text in small binary files.
 */
export async function findSecrets(scan: SecretScanner, work: Work): Promise<readonly SecretFinding[]> {
  const diff = (await work.diff(maxScannedBytes)).toString('utf8')
  const files = addedLines(diff)
  const scanNew = butMoved(scan, diff)
  const findings = await scanFiles(scanNew, files, null)
  const seen = files.reduce((lines, file) => lines + file.lines.length, 0)
  if (seen < work.insertions) findings.push(unread('diff too large to be looked through'))
  findings.push(...(await scanBinaries(scan, work)))
  const names = work.changes.filter(({ status }) => status === 'added').map(({ path }) => path)
  const named = await scan(unnamed, names.join('\n').replaceAll('/', '\n'))
  findings.push(...named.map(({ kind }) => ({ file: null, line: null, commit: null, kind })))
  findings.push(...(await scanHistory(scan, scanNew, work, files)))
  return findings
}

/** What the work takes out of one place and puts into another was there before: it brings no secret. */
function butMoved(scan: SecretScanner, diff: string): SecretScanner {
  let compared = 0
  let removed: string | null = null
  return async (file, text) => {
    const found = await scan(file, text)
    return found.filter((secret) => {
      if (++compared > maxCompared) return true
      removed ??= removedText(diff)
      return secret.text === '' || !removed.includes(secret.text)
    })
  }
}

function removedText(diff: string): string {
  const lines: string[] = []
  for (const { kind, text } of patchLines(diff)) if (kind === 'removed') lines.push(text)
  return lines.join('\n')
}

/** What the head does not have any more, or never had as a file. */
async function scanHistory(
  scan: SecretScanner,
  scanNew: SecretScanner,
  work: Work,
  atHead: readonly AddedLines[],
): Promise<SecretFinding[]> {
  const { commits, whole } = await work.history(maxScannedBytes)
  const known = new Map(atHead.map(({ path, lines }) => [path, new Set(lines)]))
  const findings: SecretFinding[] = whole ? [] : [unread('history too large to be looked through')]
  for (const { sha, message, added, binaries } of commits) {
    findings.push(
      ...(await scan(unnamed, message)).map(({ kind }) => ({ file: null, line: null, commit: sha, kind })),
    )
    if (commits.length === 1) continue
    const gone = added.filter(
      ({ path, lines }) => !lines.every((line) => known.get(path)?.has(line) === true),
    )
    findings.push(...(await scanFiles(scanNew, gone, sha)))
    for (const { path, bytes } of binaries) findings.push(...(await scanBytes(scan, path, bytes, sha)))
  }
  return findings
}

async function scanBinaries(scan: SecretScanner, work: Work): Promise<SecretFinding[]> {
  const binaries = work.changes.filter(
    ({ insertions, newMode }) => insertions === null && newMode.startsWith('100'),
  )
  const findings: SecretFinding[] = []
  for (const { path } of binaries.slice(0, maxBinaries)) {
    const bytes = await work.readFile('head', path, maxBinaryBytes + 1)
    if (bytes === null || bytes.length > maxBinaryBytes) continue
    findings.push(...(await scanBytes(scan, path, bytes, null)))
  }
  return findings
}

/** A NUL makes a file binary for git; without them, text in UTF-16 reads as it is meant. */
async function scanBytes(
  scan: SecretScanner,
  file: string,
  bytes: Buffer,
  commit: string | null,
): Promise<SecretFinding[]> {
  const found = await scan(unnamed, bytes.toString('latin1').replaceAll('\0', ''))
  await setImmediate()
  return [...new Set(found.map(({ kind }) => kind))].map((kind) => ({ file, line: null, commit, kind }))
}

async function scanFiles(
  scan: SecretScanner,
  files: readonly AddedLines[],
  commit: string | null,
): Promise<SecretFinding[]> {
  const findings: SecretFinding[] = []
  for (const batch of batchesOf(files)) {
    for (const { file, line, kind } of await scanBatch(scan, batch))
      findings.push({ file, line: commit === null ? line : null, commit, kind })
    // Scanning never waits for anything: without a pause, no heartbeat of any task would get through.
    await setImmediate()
  }
  return findings
}

/** Files of one kind, so many at a time: a call for each of 100,000 small ones would take minutes. */
function batchesOf(files: readonly AddedLines[]): AddedLines[][] {
  const batches: AddedLines[][] = []
  const open = new Map<string, { batch: AddedLines[]; length: number }>()
  for (const file of files) {
    const kind = kindOf(file.path.slice(file.path.lastIndexOf('/') + 1))
    let current = open.get(kind)
    if (current === undefined || current.length > batchLength) {
      current = { batch: [], length: 0 }
      open.set(kind, current)
      batches.push(current.batch)
    }
    current.batch.push(file)
    current.length += file.lines.reduce((length, line) => length + line.length + 1, 0)
  }
  return batches
}

/** What the rules look at of a name: its ending, and these names as a whole. */
function kindOf(name: string): string {
  if (name === 'package.json' || name === 'package-lock.json') return name
  const dot = name.lastIndexOf('.')
  return dot === -1 ? '' : name.slice(dot)
}

async function scanBatch(
  scan: SecretScanner,
  batch: readonly AddedLines[],
): Promise<{ file: string | null; line: number | null; kind: string }[]> {
  const places = batch.flatMap(({ path, numbers }) => numbers.map((line) => ({ file: path, line })))
  const text = batch.flatMap(({ lines }) => lines).join('\n')
  const found = await scan(batch[0]?.path ?? '', text)
  return found.map(({ kind, line }) => ({ kind, ...(places[line - 1] ?? { file: null, line: null }) }))
}

function unread(kind: string): SecretFinding {
  return { file: null, line: null, commit: null, kind }
}
