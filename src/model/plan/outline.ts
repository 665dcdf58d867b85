import type { Code, Heading, Root, RootContent } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { frontmatterFromMarkdown } from 'mdast-util-frontmatter'
import { frontmatter } from 'micromark-extension-frontmatter'
import type { PlanFault } from './plan.ts'

/** YAML that stands in a plan, and the line of its first line. */
export interface YamlBlock {
  readonly text: string
  readonly line: number
}

export interface OutlinedTask {
  readonly id: string
  readonly title: string
  readonly line: number
  readonly options: YamlBlock | null
  readonly body: string
}

export interface OutlinedBatch {
  readonly id: string
  readonly title: string
  readonly line: number
  readonly tasks: OutlinedTask[]
}

export interface Outline {
  readonly frontMatter: YamlBlock | null
  readonly title: string
  readonly batches: readonly OutlinedBatch[]
  readonly faults: readonly PlanFault[]
  readonly warnings: readonly PlanFault[]
}

const taskForm = '### Task ID: Title'
const batchForm = '## Batch ID: Title'

/**
 * The headings of a plan, and what belongs to them. Only headings of the document itself count: one in a code block,
 * a quotation, a list or a comment is text. `source` has LF line ends and no byte order mark.
 */
export function outlineOf(source: string): Outline {
  const root = fromMarkdown(source, {
    extensions: [frontmatter(['yaml'])],
    mdastExtensions: [frontmatterFromMarkdown(['yaml'])],
  })
  return new Reader(source, root).read()
}

class Reader {
  readonly #source: string
  readonly #root: Root
  readonly #faults: PlanFault[] = []
  readonly #warnings: PlanFault[] = []
  readonly #batches: OutlinedBatch[] = []
  #title: string | null = null
  #batch: OutlinedBatch | null = null

  constructor(source: string, root: Root) {
    this.#source = source
    this.#root = root
  }

  read(): Outline {
    const nodes = this.#root.children
    const frontMatter = this.#frontMatter()
    for (let index = 0; index < nodes.length; index += 1) {
      const node = nodes[index]
      if (node?.type === 'heading') this.#heading(node, index)
    }
    return {
      frontMatter,
      title: this.#title ?? '',
      batches: this.#batches,
      faults: this.#faults,
      warnings: this.#warnings,
    }
  }

  #frontMatter(): YamlBlock | null {
    const first = this.#root.children[0]
    if (first?.type === 'yaml') return { text: first.value, line: lineOf(first) + 1 }
    const [firstLine = ''] = this.#source.split('\n', 1)
    if (firstLine.trimEnd() === '---') {
      this.#faults.push({
        line: 1,
        column: 1,
        message: 'the front matter has no end: put --- on a line below it',
      })
    }
    return null
  }

  #heading(heading: Heading, index: number): void {
    const text = this.#textOf(heading)
    const task = readName('task', text)
    const batch = readName('batch', text)
    switch (heading.depth) {
      case 1:
        if (this.#isElsewhere(heading, task, taskForm) || this.#isElsewhere(heading, batch, batchForm)) return
        this.#title ??= text
        this.#batch = null
        return
      case 2:
        if (this.#isElsewhere(heading, task, taskForm)) return
        this.#startBatch(heading, batch, index)
        return
      case 3:
        if (this.#isElsewhere(heading, batch, batchForm)) return
        this.#addTask(heading, task, index)
        return
      default:
        if (task?.id !== undefined && task.id !== null) {
          const message = `is part of the text of the task above: a task of its own is written ${taskForm}`
          this.#warnings.push({ ...placeOf(heading), message })
        }
    }
  }

  /** A task or a batch at the wrong level would be left out without a word. */
  #isElsewhere(heading: Heading, name: Name | null, form: string): boolean {
    if (name?.id === undefined || name.id === null) return false
    this.#fault(heading, `is at the wrong level: write ${form}`)
    return true
  }

  #startBatch(heading: Heading, name: Name | null, index: number): void {
    this.#batch = null
    // Any other section is prose.
    if (name === null) return
    if (name.id === null) {
      this.#fault(heading, `is no batch: write ${batchForm}`)
      return
    }
    this.#batch = { id: name.id, title: name.title, line: lineOf(heading), tasks: [] }
    this.#batches.push(this.#batch)
    const options = optionsBelow(this.#root.children[index + 1])
    if (options !== null) {
      this.#fault(options, 'a batch has no options: put them under its tasks, or into the front matter')
    }
  }

  #addTask(heading: Heading, name: Name | null, index: number): void {
    if (name === null && this.#batch === null) return
    if (name?.id === undefined || name.id === null) {
      this.#fault(heading, `is no task: write ${taskForm}; headings within a task's text begin with ####`)
      return
    }
    if (this.#batch === null) {
      this.#fault(heading, `task ${name.id} stands in no batch: write ${batchForm} above it`)
      return
    }
    if (name.title === '') {
      this.#fault(heading, `task ${name.id} has no title: write ${taskForm}`)
      return
    }
    const nodes = this.#root.children
    const block = optionsBelow(nodes[index + 1])
    const from = endOf(block ?? heading)
    let next = index + 1
    while (next < nodes.length && !isBoundary(nodes[next])) next += 1
    const body = this.#source.slice(from, startOf(nodes[next]) ?? this.#source.length)
    this.#batch.tasks.push({
      id: name.id,
      title: name.title,
      line: lineOf(heading),
      options: block === null ? null : { text: block.value, line: lineOf(block) + 1 },
      body: trimBlankLines(body),
    })
  }

  /** As it was written: `__init__.py` must not lose its underscores to Markdown. */
  #textOf(heading: Heading): string {
    const first = startOf(heading.children[0])
    if (first === null) return ''
    const text = this.#source.slice(first, endOf(heading.children.at(-1)))
    return text.replaceAll(/\s+/g, ' ').trim()
  }

  #fault(node: RootContent, message: string): void {
    this.#faults.push({ ...placeOf(node), message })
  }
}

interface Name {
  /** `null`: the word alone, or something that is no id. */
  readonly id: string | null
  readonly title: string
}

const maxIdLength = 64

/** `Task 1.1: Title` in its parts; `null` where the heading is something else. */
function readName(word: 'task' | 'batch', text: string): Name | null {
  const [first = '', ...others] = text.split(' ')
  if (first.replace(/[:：]$/, '').toLowerCase() !== word) return null
  const rest = first.length === word.length ? others.join(' ') : ''
  const [, id = '', title = ''] = /^([^\s:：]+) ?(?:[:：–—-] ?(.*))?$/su.exec(rest) ?? []
  return id === '' || id.length > maxIdLength ? { id: null, title: '' } : { id, title: title.trim() }
}

function optionsBelow(node: RootContent | undefined): Code | null {
  return node?.type === 'code' && /^ya?ml$/i.test(node.lang ?? '') ? node : null
}

function isBoundary(node: RootContent | undefined): boolean {
  return node?.type === 'heading' && node.depth <= 3
}

function trimBlankLines(text: string): string {
  return text.replace(/^(?:[ \t]*\n)+/, '').trimEnd()
}

function placeOf(node: RootContent): { line: number; column: number } {
  return { line: lineOf(node), column: node.position?.start.column ?? 1 }
}

function lineOf(node: RootContent): number {
  return node.position?.start.line ?? 1
}

function startOf(node: { position?: Heading['position'] } | undefined): number | null {
  return node?.position?.start.offset ?? null
}

function endOf(node: { position?: Heading['position'] } | undefined): number {
  return node?.position?.end.offset ?? 0
}
