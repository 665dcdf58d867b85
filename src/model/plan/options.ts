import { isMap, isPair, isScalar, isSeq, type Document, type LineCounter } from 'yaml'
import { z } from 'zod'
import { faultsOf } from '../repository-file/faults.ts'
import { readYaml } from '../repository-file/yaml-document.ts'
import { submissionSchema } from '../submission.ts'
import { taskOptionsShape } from '../task-options.ts'
import type { YamlBlock } from './outline.ts'
import type { PlanFault } from './plan.ts'

const common = taskOptionsShape
const known = Object.keys(common)

function optionsSchema<T extends z.ZodRawShape>(shape: T, where: string) {
  const names = Object.keys(shape).toSorted().join(', ')
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? `is no option of ${where}; there are ${names}` : undefined,
  })
}

const needsSchema = z.array(z.string().min(1)).max(100)
/** What a task may set. */
const taskOptionsSchema = optionsSchema({ ...common, needs: needsSchema.optional() }, 'a task')
/** What the front matter may set. */
const frontMatterSchema = optionsSchema(
  { repo: submissionSchema.shape.repo.optional(), ...common },
  'the front matter',
)

/** Options as they were written, once they are known to be sound. */
export interface ReadOptions {
  readonly values: Readonly<Record<string, unknown>>
  readonly lines: Readonly<Record<string, number>>
}

/** Reads the options of a task or of the front matter. Lines are those of the whole plan. */
export function readOptions(
  block: YamlBlock | null,
  place: 'task' | 'front matter',
): ReadOptions | readonly PlanFault[] {
  if (block === null) return { values: {}, lines: {} }
  const read = readYaml(block.text)
  const shift = (fault: { line: number; column: number; key: string | null; message: string }) => ({
    line: fault.line + block.line - 1,
    column: fault.column,
    message: `${fault.key === null ? '' : `${fault.key}: `}${fault.message.replace(/^the file /, 'the options: ')}`,
  })
  if (!read.ok) return read.faults.map(shift)
  const values = asWritten(read.value ?? {}, read.document)
  const schema = place === 'task' ? taskOptionsSchema : frontMatterSchema
  const judged = schema.safeParse(values)
  if (!judged.success) {
    return judged.error.issues.flatMap((issue) => faultsOf(issue, read.document, read.lines)).map(shift)
  }
  return {
    values: values as Record<string, unknown>,
    lines: linesOf(read.document, read.lines, block.line - 1),
  }
}

const lists = new Set(['needs', 'paths'])
const texts = new Set([...known, 'repo'].filter((name) => isText(name)))

/** Whether the option takes text, whatever the text looks like to YAML. */
function isText(name: string): boolean {
  if (name === 'repo') return true
  const schema = (common as Record<string, z.ZodType>)[name]
  // A text that no other rule refuses; booleans, numbers and lists do not take it.
  return schema?.safeParse('a-text').success === true || name === 'timeout' || name === 'silence'
}

/**
 * `1.10` is a number to YAML, and the same as `1.1`; `true` is a command as well as a truth. Where text is meant, what
 * stands in the file counts. One entry may stand for a list of one.
 */
function asWritten(value: unknown, document: Document): unknown {
  if (!isMap(document.contents) || typeof value !== 'object' || value === null) return value
  const written: Record<string, unknown> = { ...value }
  for (const pair of document.contents.items) {
    if (!isPair(pair) || !isScalar(pair.key)) continue
    const name = String(pair.key.value)
    if (lists.has(name)) {
      if (isSeq(pair.value)) written[name] = pair.value.items.map((item) => sourceOf(item, document))
      else if (isScalar(pair.value) && pair.value.value !== null)
        written[name] = [sourceOf(pair.value, document)]
    } else if (texts.has(name) && isScalar(pair.value) && pair.value.value !== null) {
      written[name] = sourceOf(pair.value, document)
    }
  }
  return written
}

function sourceOf(node: unknown, document: Document): unknown {
  if (isScalar(node)) return node.value === null ? null : (node.source ?? node.value)
  return typeof node === 'object' && node !== null && 'toJS' in node
    ? (node as { toJS(document: Document): unknown }).toJS(document)
    : node
}

function linesOf(document: Document, counter: LineCounter, before: number): Record<string, number> {
  const lines: Record<string, number> = {}
  if (!isMap(document.contents)) return lines
  for (const pair of document.contents.items) {
    if (!isPair(pair) || !isScalar(pair.key)) continue
    lines[String(pair.key.value)] = counter.linePos(pair.key.range?.[0] ?? 0).line + before
  }
  return lines
}
