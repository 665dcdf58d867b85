import { setImmediate } from 'node:timers/promises'
import { addedLines, type AddedLines } from '../../model/added-lines.ts'
import type { SecretFinding } from '../../model/policy/work.ts'
import type { Work } from '../../ports/publisher.ts'
import type { SecretScanner } from '../../ports/secret-scanner.ts'

const maxScannedBytes = 64 * 1024 * 1024
const batchLength = 512 * 1024

/** Looks for secrets in every line that the work adds. What was there before is not the work's. */
export async function findSecrets(scan: SecretScanner, work: Work): Promise<readonly SecretFinding[]> {
  const files = addedLines((await work.diff(maxScannedBytes)).toString('utf8'))
  const findings: SecretFinding[] = []
  for (const batch of batchesOf(files)) {
    findings.push(...(await scanBatch(scan, batch)))
    // Scanning never waits for anything: without a pause, no heartbeat of any task would get through.
    await setImmediate()
  }
  const seen = files.reduce((lines, file) => lines + file.lines.length, 0)
  if (seen < work.insertions) {
    findings.push({ file: files.at(-1)?.path ?? '', line: null, kind: 'diff too large to be looked through' })
  }
  return findings
}

/** Files of one kind, so many at a time: a call for each of 100,000 small ones would take minutes. */
function batchesOf(files: readonly AddedLines[]): AddedLines[][] {
  const batches: AddedLines[][] = []
  const open = new Map<string, { batch: AddedLines[]; length: number }>()
  for (const file of files) {
    const name = file.path.slice(file.path.lastIndexOf('/') + 1)
    const dot = name.lastIndexOf('.')
    // Names without an ending are one kind: no rule asks for one of them.
    const kind = dot === -1 ? '' : name.slice(dot)
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

async function scanBatch(scan: SecretScanner, batch: readonly AddedLines[]): Promise<SecretFinding[]> {
  const places = batch.flatMap(({ path, numbers }) => numbers.map((line) => ({ file: path, line })))
  const text = batch.flatMap(({ lines }) => lines).join('\n')
  const found = await scan(batch[0]?.path ?? '', text)
  return found.map(({ kind, line }) => ({ kind, ...(places[(line ?? 1) - 1] ?? { file: '', line: null }) }))
}
