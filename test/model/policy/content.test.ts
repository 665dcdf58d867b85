import { describe, expect, test } from 'vitest'
import { isDate, isDateFormat } from '../../../src/model/policy/date-format.ts'
import { frontMatterFaults } from '../../../src/model/policy/front-matter.ts'
import { judge } from '../../../src/model/policy/judge.ts'
import { policySchema } from '../../../src/model/policy/schema.ts'
import { symlink, workOf, type Files } from './work-of.ts'

const fields = {
  title: 'string',
  updated: 'YYYY-MM-DD HH:MM',
  weight: 'integer',
  draft: 'boolean',
  'tags?': 'list',
  state: ['open', 'done', 3],
}
const good = `---
title: One
updated: 2024-02-29 23:59
weight: 3
draft: false
state: open
---
text
`

describe('a date format', () => {
  test.each([
    ['YYYY-MM-DD HH:MM', '2024-01-31 09:05', true],
    ['YYYY-MM-DD HH:MM', '2024-01-31 09:60', false],
    ['YYYY-MM-DD HH:MM', '2024-01-31 24:00', false],
    ['YYYY-MM-DD HH:MM', '2024-01-31', false],
    ['YYYY-MM-DD HH:MM', '2024-1-31 09:05', false],
    ['YYYY-MM-DD HH:MM', '31.01.2024 09:05', false],
    ['YYYY-MM-DD HH:MM', '2024-01-31T09:05', false],
    ['YYYY-MM-DD HH:MM', '2024-01-31 09:05 ', false],
    ['YYYY-MM-DD', '2023-02-29', false],
    ['YYYY-MM-DD', '2024-02-29', true],
    ['YYYY-MM-DD', '2024-13-01', false],
    ['YYYY-MM-DD', '0000-01-01', false],
    ['YYYY-MM-DD', '٢٠٢٤-01-01', false],
    ['DD.MM.YYYY', '29.02.2024', true],
    ['DD.MM.YYYY', '29x02x2024', false],
    ['YYYY-MM-DDTHH:mm:ssZ', '2024-02-29T01:02:03Z', true],
    ['HH:MM', '10:59', true],
  ])('%s takes %j: %j', (format, text, fits) => {
    expect(isDate(format, text)).toBe(fits)
  })

  test.each(['date', 'YYYY YYYY', '', ':', 'YYYY-MM-DD (x)', 'string', 'MM-MM'])('%j is none', (text) => {
    expect(isDateFormat(text)).toBe(false)
  })
})

describe('a front matter', () => {
  test('that has all fields as they must be is fine, also with CRLF and fields of its own', () => {
    expect(frontMatterFaults(fields, good)).toEqual([])
    expect(frontMatterFaults(fields, good.replaceAll('\n', '\r\n'))).toEqual([])
    expect(frontMatterFaults(fields, good.replace('draft', 'more: { a: [1] }\ntags: [a]\ndraft'))).toEqual([])
    expect(frontMatterFaults({ title: 'string' }, '---\ntitle: a\n---')).toEqual([])
  })

  test.each<[what: string, from: string | RegExp, to: string, line: number, found: RegExp]>([
    ['no front matter', /---[\s\S]*---\n/, '', 1, /must begin with a front matter/],
    ['a front matter below', /^/, '\n', 1, /must begin with a front matter/],
    ['a front matter that is not closed', '---\ntext', 'text', 1, /must begin with a front matter/],
    ['a missing field', 'title: One\n', '', 1, /lacks the field title/],
    ['an empty field', 'title: One', 'title:', 2, /title .* must be text/],
    ['a number for text', 'title: One', 'title: 1', 2, /title .* must be text/],
    [
      'another date format',
      '2024-02-29 23:59',
      '2024-02-29',
      3,
      /updated .* must be a date written as YYYY-MM-DD HH:MM/,
    ],
    ['a day that is none', '2024-02-29', '2023-02-29', 3, /updated .* must be a date/],
    ['half a number', 'weight: 3', 'weight: 3.5', 4, /weight .* must be a whole number/],
    ['text for a boolean', 'draft: false', 'draft: "false"', 5, /draft .* must be true or false/],
    ['another value', 'state: open', 'state: new', 6, /state .* must be one of open, done, 3/],
    ['no list', 'state: open', 'state: open\ntags: a', 7, /tags .* must be a list/],
    ['a mapping for text', 'title: One', 'title: { a: b }', 2, /title .* must be text/],
    ['a field that stands there twice', 'draft: false', 'draft: false\ndraft: true', 6, /not valid YAML/],
    ['no YAML', 'title: One', 'title: "One', 6, /not valid YAML/],
    ['a list for fields', /title[\s\S]*state: open/, '- a', 2, /must have fields/],
  ])('with %s is told, with its line', (_what, from, to, line, found) => {
    const text = good.replace(from, to)
    expect(text).not.toBe(good)
    const faults = frontMatterFaults(fields, text)
    expect(faults.map((fault) => fault.text).join('\n')).toMatch(found)
    expect(faults[0]?.line).toBe(line)
  })

  test('that is empty lacks every field that is not optional', () => {
    expect(frontMatterFaults(fields, '---\n---\n')).toHaveLength(5)
  })

  test('that is hostile makes nothing throw or hang', () => {
    const hostile = [
      '---\n' + '['.repeat(90_000),
      '---\na: &a [*a]\n---',
      '---\n'.repeat(50_000),
      `---\n${'- '.repeat(40_000)}\n---\n`,
      '---\n\0\n---\n',
    ]
    for (const text of hostile) expect(frontMatterFaults(fields, text).length).toBeGreaterThan(0)
  })
})

/** File, line and message of what breaks one rule. */
async function find(rule: unknown, base: Files, head: Files) {
  const violations = await judge(policySchema.parse({ content: [rule] }), workOf(base, head))
  return violations.map(({ file, line, message }) => [file, line, message] as const)
}

describe('content', () => {
  test('the three incidents: an .md at the root, a wrong front matter, a wrong time', async () => {
    const rules = policySchema.parse({
      content: [
        { files: 'docs/**/*.md', frontMatter: { title: 'string', updated: 'YYYY-MM-DD HH:MM' } },
        { files: '*.md', onlyExisting: true },
      ],
    })
    const head = {
      'SUMMARY.MD': 'done',
      'docs/a.md': '# A\n',
      'docs/b.md': '---\ntitle: B\nupdated: 2024-01-01 9:30am\n---\n',
      'docs/c.md': '---\ntitle: C\nupdated: 2024-01-01 09:30\n---\n',
    }
    const found = await judge(rules, workOf({}, head))
    expect(found.map(({ file, line }) => [file, line])).toEqual([
      ['docs/a.md', 1],
      ['docs/b.md', 3],
      ['SUMMARY.MD', null],
    ])
  })

  test('a pattern that takes for ever ends, is told for each file, and is tried on one of them only', async () => {
    const head = Object.fromEntries(
      Array.from({ length: 8 }, (_, index) => [`x${index}`, `${'a'.repeat(50)}!`]),
    )
    const before = process.cpuUsage().user
    const found = await find({ files: '**', forbidden: '^(a+)+$' }, {}, head)
    expect(process.cpuUsage().user - before).toBeLessThan(8_000_000)
    expect(found).toHaveLength(8)
    for (const [, , message] of found) expect(message).toContain('too long')
  })

  test('a required pattern is looked for in the target of a link too, and a removed file is left alone', async () => {
    const rule = { files: '**', required: 'Copyright' }
    expect((await find(rule, { gone: 'x' }, { link: symlink('a') })).map(([file]) => file)).toEqual(['link'])
  })

  test('2,000 files are searched in seconds of processor time', async () => {
    const head = Object.fromEntries(
      Array.from({ length: 2000 }, (_, index) => [`src/${index}.ts`, '// Copyright\ncode\n'.repeat(20)]),
    )
    const before = process.cpuUsage().user
    expect(await find({ files: '**', required: '^// Copyright', forbidden: 'console' }, {}, head)).toEqual([])
    expect(process.cpuUsage().user - before).toBeLessThan(4_000_000)
  })
})
