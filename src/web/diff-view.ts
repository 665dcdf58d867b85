import { html, raw } from 'hono/html'
import { plainText } from './browser/ansi.js'
import { escapeText, type Html } from './html.ts'
import { plural } from './words.ts'

/** The part of a unified diff that is about one file. */
export interface FileDiff {
  readonly path: string
  readonly added: number
  readonly removed: number
  /** Without the heading of git. */
  readonly lines: readonly string[]
  /** What git says instead of lines: new file mode, rename, binary. */
  readonly notes: readonly string[]
}

/** A file with more lines is folded; with many more, cut. */
const foldAbove = 200
const cutAbove = 2000
/** All files together show so many lines; what comes after is left to the whole diff. */
const maxShown = 6000
/** Of a larger diff only the beginning is read. */
const maxText = 2_000_000

/** Cuts a unified diff, as git writes it, into files. Whatever does not look like one is taken as it is. */
export function parseDiff(text: string): FileDiff[] {
  const files: FileDiff[] = []
  for (const part of text.split(/^(?=diff --git )/m)) {
    if (!part.startsWith('diff --git ')) continue
    const all = part.replace(/\n$/, '').split('\n')
    const firstHunk = all.findIndex((line, index) => index > 0 && line.startsWith('@@'))
    const heading = firstHunk === -1 ? all : all.slice(0, firstHunk)
    const lines = firstHunk === -1 ? [] : all.slice(firstHunk)
    files.push({
      path: pathOf(heading),
      added: lines.filter((line) => line.startsWith('+')).length,
      removed: lines.filter((line) => line.startsWith('-')).length,
      lines,
      notes: heading.slice(1).filter((line) => !/^(?:index |--- |\+\+\+ )/.test(line)),
    })
  }
  return files
}

function pathOf(heading: readonly string[]): string {
  const named = (start: string) =>
    heading.find((line) => line.startsWith(start) && !line.endsWith('/dev/null'))?.slice(start.length)
  const path = named('+++ b/') ?? named('--- a/') ?? named('rename to ') ?? named('+++ ') ?? named('--- ')
  if (path !== undefined) return path.replace(/\t$/, '')
  return /^diff --git a\/(.*) b\/\1$/.exec(heading[0] ?? '')?.[1] ?? (heading[0] ?? '').slice(11)
}

/** A diff, file by file; `address`: where all of it is, as text. */
export function diffView(diff: Buffer, address: string): Html {
  const files = parseDiff(diff.subarray(0, maxText).toString('utf8'))
  let room = maxShown
  const shown = files.map((file) => {
    const lines = Math.min(file.lines.length, cutAbove, Math.max(room, 0))
    room -= lines
    return { file, lines }
  })
  const cut = diff.length > maxText || shown.some(({ file, lines }) => lines < file.lines.length)
  return html`${shown.map(({ file, lines }, index) => fileView(file, lines, index))}
    <p class="soft">
      <a href="${address}">The whole diff as text</a>${cut ? '; more than is shown here' : ''}
    </p>`
}

function fileView(file: FileDiff, lines: number, index: number): Html {
  const open = file.lines.length <= foldAbove
  const hidden = file.lines.length - lines
  return html`<details class="file" id="file-${index}" ${open ? html`open` : ''}>
    <summary>
      <span class="path">${plainText(file.path)}</span>
      <span class="mono counts"
        ><span class="added">+${file.added}</span> <span class="removed">−${file.removed}</span></span
      >
    </summary>
    ${file.notes.length === 0 ? '' : html`<p class="soft notes">${plainText(file.notes.join(' · '))}</p>`}
    ${lines === 0 ? '' : raw(linesView(file.lines.slice(0, lines), file.path))}
    ${hidden > 0 ? html`<p class="soft notes">${plural(hidden, 'line is', 'lines are')} not shown here</p>` : ''}
  </details>`
}

function linesView(lines: readonly string[], path: string): string {
  const shown = lines.map((line) => {
    const text = escapeText(plainText(line.length > 2000 ? `${line.slice(0, 2000)}…` : line))
    return `<span class="${kindOf(line)}">${text === '' ? ' ' : text}</span>`
  })
  return `<pre class="diff" tabindex="0" role="region" aria-label="${escapeText(`Changes of ${plainText(path)}`)}">${shown.join('\n')}</pre>`
}

function kindOf(line: string): string {
  switch (line[0]) {
    case '+':
      return 'add'
    case '-':
      return 'del'
    case '@':
      return 'hunk'
    default:
      return 'same'
  }
}
