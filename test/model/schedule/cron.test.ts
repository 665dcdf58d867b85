import { describe, expect, it } from 'vitest'
import { cronFault, isTimeZone, lastDue, nextTimes } from '../../../src/model/schedule/cron.ts'
import { newScheduleSchema } from '../../../src/model/schedule/schedule.ts'
import { isWithin, windowEnd } from '../../../src/model/schedule/window.ts'

function next(pattern: string, timeZone: string, after: string, count = 3): string[] {
  return nextTimes(pattern, timeZone, new Date(after), count).map((time) => time.toISOString())
}

describe('the times of a schedule', () => {
  it('go by the clock of the time zone', () => {
    expect(next('30 2 * * *', 'Asia/Kolkata', '2026-01-10T00:00:00Z', 1)).toEqual([
      '2026-01-10T21:00:00.000Z',
    ])
    expect(next('0 3 * * 1-5', 'UTC', '2026-01-09T12:00:00Z', 2)).toEqual([
      '2026-01-12T03:00:00.000Z',
      '2026-01-13T03:00:00.000Z',
    ])
  })

  it('that the clock leaves out in spring come right after the gap, once', () => {
    // Berlin, 2026-03-29: 02:00 becomes 03:00.
    expect(next('30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00:00Z')).toEqual([
      '2026-03-28T01:30:00.000Z',
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ])
    // New York, 2026-03-08; a list of hours is as fixed as one.
    expect(next('30 2,14 * * *', 'America/New_York', '2026-03-08T05:00:00Z', 2)).toEqual([
      '2026-03-08T07:00:00.000Z',
      '2026-03-08T18:30:00.000Z',
    ])
  })

  it('that the clock shows twice in autumn come once', () => {
    // Berlin, 2026-10-25: 03:00 becomes 02:00.
    expect(next('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ])
    expect(next('30 1 * * *', 'America/New_York', '2026-10-31T12:00:00Z', 2)).toEqual([
      '2026-11-01T05:30:00.000Z',
      '2026-11-02T06:30:00.000Z',
    ])
  })

  it('of an interval go on by elapsed time over both changes', () => {
    expect(next('0 * * * *', 'Europe/Berlin', '2026-10-24T23:30:00Z', 4)).toEqual([
      '2026-10-25T00:00:00.000Z',
      '2026-10-25T01:00:00.000Z',
      '2026-10-25T02:00:00.000Z',
      '2026-10-25T03:00:00.000Z',
    ])
    expect(next('*/30 * * * *', 'Europe/Berlin', '2026-03-29T00:15:00Z', 3)).toEqual([
      '2026-03-29T00:30:00.000Z',
      '2026-03-29T01:00:00.000Z',
      '2026-03-29T01:30:00.000Z',
    ])
  })

  it('that are due are told by the last of them, also after years', () => {
    const due = (after: string, until: string, pattern = '0 3 * * *') =>
      lastDue(pattern, 'UTC', new Date(after), new Date(until))?.toISOString() ?? null
    expect(due('2026-01-01T00:00:00Z', '2026-01-01T02:59:59Z')).toBeNull()
    expect(due('2026-01-01T00:00:00Z', '2026-01-01T03:00:00Z')).toBe('2026-01-01T03:00:00.000Z')
    expect(due('2026-01-01T03:00:00Z', '2026-01-01T04:00:00Z')).toBeNull()
    expect(due('2026-01-01T00:00:00Z', '2026-01-02T12:00:00Z')).toBe('2026-01-02T03:00:00.000Z')
    expect(due('2020-01-01T00:00:00Z', '2026-01-02T12:34:00Z', '* * * * *')).toBe('2026-01-02T12:34:00.000Z')
    expect(due('2026-01-01T00:00:00Z', '2026-01-05T00:00:00Z', '0 3 29 2 *')).toBeNull()
  })
})

describe('a window', () => {
  it('closes so long after the start, or at a time of day', () => {
    const start = new Date('2026-10-24T20:30:00Z')
    expect(windowEnd('6h', 'Europe/Berlin', start).toISOString()).toBe('2026-10-25T02:30:00.000Z')
    // 06:00 in Berlin, after the clock went back.
    expect(windowEnd('22:00-06:00', 'Europe/Berlin', start).toISOString()).toBe('2026-10-25T05:00:00.000Z')
  })
})

describe('a start', () => {
  it.each([
    ['22:00-06:00', '2026-10-24T20:30:00Z', true],
    ['22:00-06:00', '2026-10-25T04:59:00Z', true],
    ['22:00-06:00', '2026-10-25T05:00:00Z', false],
    ['22:00-06:00', '2026-10-24T10:00:00Z', false],
    ['10:00-11:00', '2026-10-24T08:00:00Z', true],
    ['10:00-11:00', '2026-10-24T09:00:00Z', false],
    ['6h', '2026-10-24T10:00:00Z', true],
  ])('within %s at %s: %s', (window, at, within) => {
    expect(isWithin(window, 'Europe/Berlin', new Date(at))).toBe(within)
  })
})

describe('a schedule', () => {
  const task = { repo: 'https://git.example.org/one.git', prompt: 'Do it' }
  const faults = (changes: Record<string, unknown>) => {
    const parsed = newScheduleSchema.safeParse({ name: 'nightly', cron: '0 3 * * *', task, ...changes })
    return parsed.success
      ? []
      : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  }

  it('is taken as the contract has it', () => {
    expect(faults({})).toEqual([])
    const plan = {
      task: undefined,
      repo: task.repo,
      planPath: 'plans/night.md',
      window: '22:00-06:00',
      maxCost: 5,
    }
    expect(faults({ ...plan, timeZone: 'Europe/Berlin', overlap: 'queue', missed: 'once' })).toEqual([])
  })

  it.each([
    ['a pattern of seconds', { cron: '* * * * * *' }, 'cron: must be five fields'],
    ['a pattern that is none', { cron: 'nightly' }, 'cron: must be five fields'],
    ['a day that never comes', { cron: '0 0 31 2 *' }, 'cron: names no time that ever comes'],
    ['an unknown time zone', { timeZone: 'Mars/Olympus' }, 'timeZone: is no time zone'],
    ['a window of nothing', { window: '0m' }, 'window: must be'],
    ['a window that is none', { window: '25:00-06:00' }, 'window: must be'],
    ['no money', { maxCost: 0 }, 'maxCost: '],
    ['nothing to do', { task: undefined }, 'task: is needed, or repo and planPath'],
    ['two things to do', { planPath: 'plan.md', repo: 'x' }, 'task: goes not with planPath'],
    ['a plan of no repository', { task: undefined, planPath: 'plan.md' }, 'repo: is needed'],
    ['an option outside of its task', { timeout: '5m' }, 'timeout: goes with planPath'],
    ['a name that is a path', { name: '../x' }, 'name: must be'],
    ['a misspelt field', { timezone: 'UTC' }, ': Unrecognized key'],
  ])('with %s is refused', (_what, changes, fault) => {
    expect(faults(changes).join('\n')).toContain(fault)
  })

  it('knows the time zones of this machine', () => {
    expect(['UTC', 'Europe/Berlin', '+02:00'].map(isTimeZone)).toEqual([true, true, true])
    expect(cronFault('30 2 * * MON-FRI')).toBeNull()
  })
})
