import { describe, expect, it } from 'vitest'
import { array, assert, constantFrom, oneof, property, string } from 'fast-check'
import type { TaskEvent } from '../../src/model/event.ts'
import { createAnsiReader, plainText } from '../../src/web/browser/ansi.js'
import { diffView, parseDiff } from '../../src/web/diff-view.ts'
import { webAddress } from '../../src/web/html.ts'
import { outputLines } from '../../src/web/output-view.ts'

function printed(text: string): TaskEvent {
  return {
    id: 1,
    taskId: 'T',
    attempt: 1,
    at: '2026-01-01T00:00:00Z',
    type: 'output',
    step: 'agent',
    text,
    data: {},
  }
}

const shown = (text: string) =>
  createAnsiReader()
    .read(text)
    .map((line) => line.map((piece) => piece.text).join(''))
    .join('\n')

describe('what a process printed', () => {
  it('keeps its colours and weight, over lines and pieces', () => {
    const reader = createAnsiReader()
    expect(reader.read('\u001b[1;31mbad\u001b[0m fine \u001b[38;2;10;200;30mgreen\nstill')).toEqual([
      [
        { text: 'bad', style: 'ansi-red ansi-bold' },
        { text: ' fine ', style: '' },
        { text: 'green', style: 'ansi-green' },
      ],
      [{ text: 'still', style: 'ansi-green' }],
    ])
    expect(reader.read('\u001b[38;5;21mblue\u001b[39mplain')).toEqual([
      [
        { text: 'blue', style: 'ansi-blue' },
        { text: 'plain', style: '' },
      ],
    ])
  })

  it.each([
    ['a title', '\u001b]0;pwned\u0007text', 'text'],
    ['a link', '\u001b]8;;https://evil.example\u001b\\text\u001b]8;;\u001b\\', 'text'],
    ['the clipboard', '\u001b]52;c;cm0gLXJm\u0007text', 'text'],
    ['a cursor that goes back', 'safe\u001b[4Devil', 'safeevil'],
    ['a cleared screen', 'before\u001b[2J\u001b[Hafter', 'beforeafter'],
    ['hidden text', '\u001b[8mhidden\u001b[28m', 'hidden'],
    ['an unfinished sequence', 'text\u001b[', 'text'],
    ['an endless title', `\u001b]0;${'x'.repeat(10)}\ntext`, '\ntext'],
    ['text turned round', 'a\u202eb', 'a\ufffdb'],
    ['overwritten lines', 'one\rtwo', 'one\ntwo'],
    ['other controls', 'a\u0000b\u0007c', 'a\ufffdb\ufffdc'],
  ])('cannot do anything with %s', (_what, text, expected) => {
    expect(shown(text)).toBe(expected)
  })

  it('is text in the page, whatever it holds', () => {
    assert(
      property(
        array(
          oneof(
            string(),
            constantFrom(
              '<script>alert(1)</script>',
              '\u001b[31m',
              '"><img src=x onerror=alert(1)>',
              '\n',
              '&lt;',
            ),
          ),
        ),
        (parts) => {
          const html = outputLines([printed(parts.join(''))])
          expect(html.replaceAll(/<span class="[a-z -]+">|<\/span>/g, '')).not.toMatch(/[<>"]/)
        },
      ),
    )
  })

  it('of 100,000 letters and sequences is read in a moment', () => {
    const started = performance.now()
    for (const text of ['\u001b[', '\u001b]', '\u001b[31m', '<', '\u001b']) shown(text.repeat(100_000))
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

describe('a diff', () => {
  const text = [
    'diff --git a/src/<b>.ts b/src/<b>.ts',
    'index 1111111..2222222 100644',
    '--- a/src/<b>.ts',
    '+++ b/src/<b>.ts',
    '@@ -1,2 +1,2 @@ <script>alert(1)</script>',
    ' same',
    '-<img src=x onerror=alert(1)>',
    '+diff --git a/fake b/fake',
    'diff --git a/new name b/new name',
    'new file mode 100755',
    'index 0000000..2222222',
    '--- /dev/null',
    '+++ b/new name\t',
    '@@ -0,0 +1 @@',
    '+one',
    'diff --git a/pic.png b/pic.png',
    'Binary files a/pic.png and b/pic.png differ',
    '',
  ].join('\n')

  it('is cut into its files, with what was added and removed', () => {
    expect(
      parseDiff(text).map(({ path, added, removed, notes }) => ({ path, added, removed, notes })),
    ).toEqual([
      { path: 'src/<b>.ts', added: 1, removed: 1, notes: [] },
      { path: 'new name', added: 1, removed: 0, notes: ['new file mode 100755'] },
      { path: 'pic.png', added: 0, removed: 0, notes: ['Binary files a/pic.png and b/pic.png differ'] },
    ])
  })

  it('is text in the page; large files are folded, and what is not shown is said', async () => {
    const long = ['diff --git a/long b/long', '--- a/long', '+++ b/long', '@@ -0,0 +1,3000 @@']
    const lines = Array.from({ length: 3000 }, (_, index) => `+line ${index}`)
    const html = String(await diffView(Buffer.from(`${text}${[...long, ...lines].join('\n')}\n`), '/x'))
    expect(html).not.toMatch(/<script|<img|<b>/)
    expect(html).toContain('&lt;script&gt;')
    expect(html.match(/<details[^>]*\sopen/g)).toHaveLength(3)
    expect(html).toContain('1,001 lines are not shown here')
  })

  it('whose bytes are no UTF-8 is shown all the same', async () => {
    const broken = Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0xfe, 0x00, 0x0a])])
    expect(String(await diffView(broken, '/x'))).toContain('new name')
  })
})

it('only addresses of the web become links', () => {
  expect(webAddress('https://github.com/o/r/pull/7')).toBe('https://github.com/o/r/pull/7')
  for (const bad of [
    'javascript:alert(1)',
    'https://a"onmouseover="x',
    'data:text/html,x',
    ' https://a',
    'https://a b',
  ]) {
    expect(webAddress(bad)).toBeNull()
  }
})

it('text of a title or a reason has no controls in it', () => {
  expect(plainText('a\u001b[31mb\u202ec\r\nd')).toBe('ab\ufffdc\nd')
})
