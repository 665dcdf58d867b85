import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { textWidth } from '../../src/cli/terminal-text.ts'
import type { DoctorEntry, System } from '../../src/core/system.ts'
import type { Task } from '../../src/model/task.ts'
import { serveOnTest, type Served } from '../api/served.ts'
import { until } from '../support/nightshift.ts'
import { startHands } from './hands.ts'
import { type, typed } from './person.ts'

function withoutBubblewrap(): Promise<DoctorEntry[]> {
  const detail = 'bubblewrap is missing'
  return Promise.resolve([{ area: 'runtime local', ok: false, detail, todo: 'apt-get install bubblewrap' }])
}

/** A scheduler that never ends. */
function startNothing() {
  return { running: 1, drain: () => new Promise<void>(() => {}) }
}

describe('nightshift run', () => {
  let served: Served
  let closed = 0
  beforeAll(async () => {
    served = await serveOnTest()
  })
  afterAll(() => served.close())

  const open =
    (changes: Partial<System> = {}) =>
    () =>
      Promise.resolve({
        ...served.system,
        startScheduler: ({ pool }: { pool: string | null }) => startHands(served.database.store, pool),
        close: () => {
          closed += 1
          return Promise.resolve()
        },
        ...changes,
      })
  const flags = () => ['--repo', served.repo, '--command', 'true']

  it('ends with exit code 0 and a table on stdout when all end well, and tells each step on stderr', async () => {
    closed = 0
    const end = await typed(['run', 'pushed one', 'no_changes two', ...flags()], { open: open() })
    expect([end.exitCode, closed]).toEqual([0, 1])
    const [header, first, second] = end.stdout.split('\n')
    expect(header?.split(/ {2,}/)).toEqual(['TASK', 'OUTCOME', 'BRANCH', 'FILES +/-', 'HEAD', 'TIME'])
    expect(first).toMatch(
      /^[0-9a-z]{8} {2}pushed {6}nightshift\/[0-9a-z]{8}-pushed-one {2,}2 \+3 -1 {2}aaaaaaa {2,}[\d.]+s$/,
    )
    expect(second).toMatch(/^[0-9a-z]{8} {2}no_changes {2}- .*- {2,}- .*s$/)
    expect(end.stderr).toMatch(/^\[[0-9a-z]{8}\] prepare$/m)
    expect(end.stderr).toMatch(/^\[[0-9a-z]{8}\] pushed nightshift\/.*$/m)
  })

  it('ends with exit code 1 when one does not, and says why and what to do, in 80 columns and without escapes', async () => {
    const prompts = [
      'pushed with quite a long name that goes on',
      'agent_failed two',
      'checks_failed three',
      'error four',
    ]
    const end = await typed(['run', ...prompts, ...flags()], {
      open: open(),
      terminal: { columns: 80 },
      environment: { NO_COLOR: '1' },
    })
    expect(end.exitCode).toBe(1)
    expect(end.stdout).toMatch(
      /^[0-9a-z]{8} agent_failed: It ended agent_failed by hand\.\n {2}→ look: nightshift logs/m,
    )
    expect(end.stdout).toContain('checks_failed')
    for (const line of end.stdout.split('\n')) expect(textWidth(line), line).toBeLessThanOrEqual(80)
    expect(end.stdout).not.toContain('\u001b')
  })

  it('prints one JSON value with --json, and keeps stdout free of anything else', async () => {
    const end = await typed(['run', 'pushed one', 'error two', ...flags(), '--json'], { open: open() })
    const { tasks } = JSON.parse(end.stdout) as { tasks: Task[] }
    expect([end.exitCode, tasks.map((task) => [task.prompt, task.outcome])]).toEqual([
      1,
      [
        ['pushed one', 'pushed'],
        ['error two', 'error'],
      ],
    ])
  })

  it('shows what is wrong by flag, each once, before anything starts', async () => {
    const before = await served.database.store.stats()
    const argv = [
      'run',
      'one',
      'two',
      ...flags(),
      '--timeout',
      'soon',
      '--priority',
      'high',
      '--network',
      'a b,c',
    ]
    const end = await typed(argv, { open: open() })
    expect([end.exitCode, end.stdout]).toEqual([2, ''])
    const lines = end.stderr.trim().split('\n')
    expect(lines.map((line) => /^nightshift: (--[a-z]+): /.exec(line)?.[1]).toSorted()).toEqual([
      '--network',
      '--priority',
      '--timeout',
    ])
    expect((await served.database.store.stats()).states).toEqual(before.states)
  })

  it('refuses to start where a part is missing, and says what to type', async () => {
    const end = await typed(['run', 'pushed one', ...flags()], { open: open({ doctor: withoutBubblewrap }) })
    expect([end.exitCode, end.stdout]).toEqual([2, ''])
    expect(end.stderr).toBe(
      'nightshift: runtime local: bubblewrap is missing; to mend it: apt-get install bubblewrap\n',
    )
  })

  it('takes prompts from files and from stdin, verbatim', async () => {
    const argv = ['run', '--prompt-file', '-', ...flags(), '--json']
    const end = await typed(argv, { open: open(), stdin: 'pushed\n  two lines\n' })
    expect((JSON.parse(end.stdout) as { tasks: Task[] }).tasks[0]?.prompt).toBe('pushed\n  two lines\n')
  })

  it('cancels its tasks at Ctrl-C, waits for them, tells how they ended, and answers 130', async () => {
    closed = 0
    const command = type(['run', 'wait one', 'wait two', ...flags(), '--json'], { open: open() })
    await until(() => (command.stderr().match(/\] agent$/gm)?.length === 2 ? true : null))
    command.interrupt()
    expect([await command.exitCode, closed]).toEqual([130, 1])
    const { tasks } = JSON.parse(command.stdout()) as { tasks: Task[] }
    expect(tasks.map((task) => task.outcome)).toEqual(['cancelled', 'cancelled'])
  })

  it('ends at once at a second Ctrl-C', async () => {
    const command = type(['run', 'wait one', ...flags()], { open: open({ startScheduler: startNothing }) })
    await until(async () => ((await served.database.store.stats()).states.queued > 0 ? true : null))
    command.interrupt()
    command.interrupt()
    expect(await command.exitCode).toBe(130)
  })

  it('works on when nobody reads its table', async () => {
    const end = await typed(['run', 'pushed one', ...flags()], { open: open(), brokenPipe: true })
    expect(end.exitCode).toBe(0)
  })

  it('draws running tasks on a terminal, and leaves only what ended', async () => {
    const command = type(['run', 'wait \u001b[2Jfor me', 'pushed one', ...flags()], {
      open: open(),
      terminal: { columns: 60 },
      environment: { NO_COLOR: '1' },
    })
    await until(() => (command.stderr().includes('agent      wait for me') ? true : null))
    await until(() => (/[0-9a-z]{8} pushed nightshift/.test(command.stderr()) ? true : null))
    command.interrupt()
    expect(await command.exitCode).toBe(130)
    const [runtime, ...screen] = drawnOn(command.stderr())
    expect(runtime).toMatch(/^runtime: /)
    expect(screen).toHaveLength(2)
    expect(screen.toSorted()[0]).toMatch(/^[0-9a-z]{8} (?:cancelled|pushed) /)
    for (const line of screen) expect(textWidth(line)).toBeLessThan(60)
  })
})

/** What stands on a terminal in the end: understands the two sequences of a live region. */
function drawnOn(text: string): string[] {
  const lines: string[] = []
  for (const part of text.split('\u001b[J')) {
    const [, drawn = '', up = '0'] = /^([^]*?)(?:\p{Cc}\[(\d+)A\r)?$/u.exec(part) ?? []
    expect(drawn).not.toContain('\u001b')
    lines.push(...drawn.split('\n').slice(0, -1))
    lines.splice(lines.length - Number(up))
  }
  return lines
}
