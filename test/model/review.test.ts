import { describe, expect, it } from 'vitest'
import { asksForChanges, readReview } from '../../src/model/review.ts'

const approval = { verdict: 'approve', findings: [] }
const finding = { file: 'a.ts', line: 3, severity: 'minor', message: 'Why?' }

describe('what a reviewer answers', () => {
  it.each([
    ['alone', JSON.stringify(approval)],
    ['over many lines, after some thoughts', `I think {maybe}...\n${JSON.stringify(approval, null, 2)}\n`],
    [
      'in a fenced block, with words after it',
      `So:\n\`\`\`json\n${JSON.stringify(approval)}\n\`\`\`\nThat is all.`,
    ],
    ['after an answer of another form', `{"verdict": "maybe"}\n${JSON.stringify(approval)}`],
    ['without findings', '{"verdict": "approve"}'],
    ['in the midst of a line', `My verdict: ${JSON.stringify(approval)} (that is all, {really})`],
    ['before other JSON', `${JSON.stringify(approval)}\n{"cost": {"usd": 1}}`],
    ['with more than was asked for', JSON.stringify({ ...approval, summary: 'Fine.' })],
  ])('is found %s', (_, text) => {
    expect(readReview(text)).toEqual({ ok: true, answer: approval })
  })

  it.each([
    [0, null],
    [-4, null],
    [2.5, null],
    ['7', 7],
    ['7-9', null],
    [undefined, null],
  ])('a line of %j is %j: what was found counts without it', (line, read) => {
    const text = JSON.stringify({ verdict: 'approve', findings: [{ ...finding, line }] })
    expect(readReview(text)).toEqual({
      ok: true,
      answer: { verdict: 'approve', findings: [{ ...finding, line: read }] },
    })
  })

  it('of words without end the first are read, and of findings without end those that are blocking', () => {
    const findings = Array.from({ length: 900 }, () => ({ ...finding, message: '}"{ '.repeat(5000) }))
    findings.push({ ...finding, severity: 'blocking', message: 'This.' })
    const read = readReview(`It is\n${JSON.stringify({ verdict: 'approve', findings }, null, 1)}`)
    expect(read.ok && read.answer.findings[0]?.message).toBe('This.')
    expect(read.ok && read.answer.findings).toHaveLength(200)
    expect(read.ok && asksForChanges(read.answer)).toBe(true)
  })

  it('counts as it was said last', () => {
    const text = `${JSON.stringify({ verdict: 'request_changes' })}\n${JSON.stringify(approval)}\n`
    expect(readReview(text)).toEqual({ ok: true, answer: approval })
  })

  it.each([
    ['nothing', '', 'no JSON'],
    ['words', 'Looks good to me.', 'no JSON'],
    ['another verdict', '{"verdict": "lgtm"}', 'verdict'],
    [
      'another severity',
      JSON.stringify({ ...approval, findings: [{ ...finding, severity: 'high' }] }),
      'severity',
    ],
    [
      'a finding without words',
      JSON.stringify({ ...approval, findings: [{ ...finding, message: '' }] }),
      'message',
    ],
    ['a JSON that breaks off', '{"verdict": "approve", "findings": [', 'no JSON'],
  ])('is not taken where it is %s, and what is wrong is said', (_, text, fault) => {
    const read = readReview(text)
    expect(read.ok ? '' : read.fault).toContain(fault)
  })

  it('asks for changes by its verdict, or by a finding that is blocking', () => {
    expect(asksForChanges({ verdict: 'approve', findings: [{ ...finding, severity: 'minor' }] })).toBe(false)
    expect(asksForChanges({ verdict: 'approve', findings: [{ ...finding, severity: 'blocking' }] })).toBe(
      true,
    )
    expect(asksForChanges({ verdict: 'request_changes', findings: [] })).toBe(true)
  })
})
