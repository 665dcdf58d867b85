import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAccess } from '../../src/api/access.ts'
import { createApi } from '../../src/api/app.ts'
import { listen } from '../../src/api/listen.ts'
import { textWidth } from '../../src/cli/terminal-text.ts'
import type { DoctorEntry, System } from '../../src/core/system.ts'
import type { Task } from '../../src/model/task.ts'
import type { RunningScheduler } from '../../src/core/scheduler.ts'
import { serveOnTest, type Served } from '../api/served.ts'
import { until } from '../support/nightshift.ts'
import { startHands } from './hands.ts'
import { type, typed } from './person.ts'

const escape = '\u001b'

function withoutRuntime(): Promise<DoctorEntry[]> {
  return Promise.resolve([{ area: 'runtime local', ok: false, detail: 'missing', todo: null }])
}

describe('the commands that speak to a server', () => {
  let served: Served
  let environment: Record<string, string>
  let hands: RunningScheduler
  let stop: () => Promise<void>
  beforeAll(async () => {
    served = await serveOnTest()
    let port = 0
    const access = createAccess({
      host: '127.0.0.1',
      port: () => port,
      tokens: served.system.tokens,
      sessions: served.system.sessions,
      environmentToken: null,
    })
    const api = createApi({ system: served.system, access })
    const listening = await listen({ app: api.app, host: '127.0.0.1', port, onError: () => {} })
    port = listening.port
    environment = { NIGHTSHIFT_URL: listening.url, NO_COLOR: '1' }
    hands = startHands(served.database.store, null)
    stop = async () => {
      await api.close()
      await listening.close(1000)
    }
  })
  afterAll(async () => {
    await stop()
    await hands.drain(0)
    await served.close()
  })

  const nightshift = (...argv: string[]) => typed(argv, { environment })
  const onTerminal = (...argv: string[]) => typed(argv, { environment, terminal: { columns: 80 } })

  async function submit(...prompts: string[]): Promise<Task[]> {
    const end = await nightshift('submit', ...prompts, '--repo', served.repo, '--command', 'true', '--json')
    expect(end.exitCode).toBe(0)
    return (JSON.parse(end.stdout) as { tasks: Task[] }).tasks
  }

  async function submitDone(prompt: string): Promise<Task> {
    const [task] = await submit(prompt)
    return until(async () => {
      const now = await served.database.store.get(task?.id ?? '')
      return now?.state === 'done' ? now : null
    })
  }

  it('submit queues one task for each prompt and prints their ids', async () => {
    const end = await nightshift('submit', 'pushed a', 'pushed b', '--repo', served.repo, '--command', 'true')
    expect([end.exitCode, end.stdout]).toEqual([0, expect.stringMatching(/^(?:[0-9A-Z]{26}\n){2}$/)])
  })

  it('submit shows what the server finds wrong, by flag', async () => {
    const end = await nightshift('submit', 'p', '--repo', 'ext::sh', '--command', 'true', '--timeout', 'x')
    expect([end.exitCode, end.stdout]).toEqual([2, ''])
    expect(end.stderr).toMatch(/^nightshift: --timeout: must be a duration/m)
    const json = await nightshift('submit', 'p', '--repo', 'ext::sh', '--command', 'true', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({
      error: { exitCode: 2, status: 422, errors: [{ field: 'repo' }] },
    })
  })

  it('ls shows a table in 80 columns, filters, and prints JSON', async () => {
    await submitDone(`pushed ${'a very long prompt 日本語 '.repeat(20)}`)
    const end = await onTerminal('ls')
    expect(end.stdout).toMatch(/^TASK {6}STATE/)
    for (const line of end.stdout.split('\n')) expect(textWidth(line), line).toBeLessThanOrEqual(80)
    const none = await nightshift('ls', '--outcome', 'merged')
    expect(none).toEqual({ exitCode: 0, stdout: '', stderr: 'There are no such tasks.\n' })
    const all = JSON.parse((await nightshift('ls', '--all', '--json')).stdout) as { items: Task[] }
    expect(all.items.length).toBe((await served.database.store.stats()).states.done)
    expect((await nightshift('ls', '--state', 'bogus')).exitCode).toBe(2)
  })

  it('show tells outcome, evidence and steps, without escapes of the agent', async () => {
    const task = await submitDone('pushed shown')
    const end = await onTerminal('show', task.id.slice(-8).toLowerCase())
    for (const part of [
      'pushed',
      'The branch is on the remote.',
      task.branch,
      'a'.repeat(40),
      '2 files, +3 -1',
      'prepare',
    ]) {
      expect(end.stdout).toContain(part)
    }
    expect(end.stdout).not.toContain(escape)
    for (const line of end.stdout.split('\n')) expect(textWidth(line), line).toBeLessThanOrEqual(80)
    expect(JSON.parse((await nightshift('show', task.id, '--json')).stdout)).toEqual(task)
    const bad = await submitDone('agent_failed shown')
    expect((await onTerminal('show', bad.id)).stdout).toContain('→ look: nightshift logs')
  })

  it('logs and diff are as they are in a pipe, and harmless on a terminal', async () => {
    const task = await submitDone('pushed out')
    expect((await nightshift('logs', task.id)).stdout).toBe(`red ${escape}[31mline${escape}[0m\n`)
    expect((await onTerminal('logs', task.id)).stdout).toBe('red line\n')
    expect((await nightshift('diff', task.id)).stdout).toBe(`diff ${escape}[1m\n`)
    expect((await onTerminal('diff', task.id)).stdout).toBe('diff \n')
    expect(JSON.parse((await nightshift('diff', task.id, '--json')).stdout)).toEqual({
      diff: `diff ${escape}[1m\n`,
    })
    const logs = JSON.parse((await nightshift('logs', task.id, '--json')).stdout) as { items: unknown[] }
    expect(logs.items.length).toBeGreaterThan(3)
  })

  it('logs -f goes on until the task is done; cancel ends it, retry does it again', async () => {
    const [task] = await submit('wait for it')
    const following = type(['logs', '-f', task?.id ?? ''], { environment })
    await until(() => (following.stdout().includes('line') ? true : null))
    const cancelled = await nightshift('cancel', task?.id ?? '')
    expect([cancelled.exitCode, cancelled.stdout]).toEqual([0, expect.stringContaining('is asked to end')])
    expect(await following.exitCode).toBe(0)
    const again = JSON.parse((await nightshift('retry', task?.id ?? '', '--json')).stdout) as {
      tasks: Task[]
    }
    expect(again.tasks).toMatchObject([{ retryOf: task?.id }])
    expect((await nightshift('retry', again.tasks[0]?.id ?? '')).stderr).toContain('cancel it first')
    await nightshift('cancel', again.tasks[0]?.id ?? '')
  })

  it('logs -f ends at Ctrl-C with 130', async () => {
    const [task] = await submit('wait for Ctrl-C')
    const following = type(['logs', '-f', task?.id ?? ''], { environment })
    await until(() => (following.stdout().includes('line') ? true : null))
    following.interrupt()
    expect(await following.exitCode).toBe(130)
    await nightshift('cancel', task?.id ?? '')
  })

  it('pause, drain, resume and limits work on the whole queue', async () => {
    expect((await nightshift('pause')).stdout).toMatch(/^paused: /)
    expect((await nightshift('drain')).stdout).toMatch(/^paused: 0 running/)
    expect((await nightshift('resume')).stdout).toMatch(/^not paused: /)
    expect((await nightshift('limits', '--global', '7')).stdout).toBe(
      'global 7, per repository none, per agent none\n',
    )
    const json = await nightshift('limits', '--per-agent', '2', '--json')
    expect(JSON.parse(json.stdout)).toEqual({ global: 7, perRepository: null, perAgent: 2 })
    expect((await nightshift('limits', '--global', 'none', '--per-agent', 'none')).stdout).toMatch(
      /^global none/,
    )
  })

  it('an id that nobody has is a usage error', async () => {
    for (const command of ['show', 'logs', 'diff', 'cancel', 'retry']) {
      const end = await nightshift(command, 'zzzzzzzz')
      expect([end.exitCode, end.stderr], command).toEqual([
        2,
        expect.stringContaining('there is no task "zzzzzzzz"'),
      ])
    }
  })

  it('of several ids, one that nobody has leaves none of the others out', async () => {
    const [one] = await submit('wait for it')
    const [other] = await submit('wait for it, too')
    const end = await nightshift('cancel', one?.id ?? '', 'zzzzzzzz', other?.id ?? '', '--json')
    expect(end.exitCode).toBe(2)
    expect(JSON.parse(end.stdout)).toMatchObject({
      error: { message: expect.stringContaining('"zzzzzzzz"'), tasks: [{ id: one?.id }, { id: other?.id }] },
    })
  })

  it('a reader that goes away is no error', async () => {
    const task = await submitDone('pushed quietly')
    for (const argv of [['ls'], ['show', task.id], ['logs', task.id], ['diff', task.id]]) {
      const end = await typed(argv, { environment, brokenPipe: true })
      expect([end.exitCode, end.stderr], argv.join(' ')).toEqual([0, ''])
    }
  })
})

describe('the commands that open the system', () => {
  let served: Served
  beforeAll(async () => {
    served = await serveOnTest()
  })
  afterAll(() => served.close())
  const open =
    (changes: Partial<System> = {}) =>
    () =>
      Promise.resolve({ ...served.system, ...changes })

  it('token create prints the token alone; ls and revoke know it by its id', async () => {
    const created = await typed(['token', 'create', 'laptop'], { open: open() })
    const token = created.stdout.trim()
    expect(await served.database.tokens.verify(token)).toBe('operator')
    expect(created.stderr).not.toContain(token)
    const listed = await typed(['token', 'ls'], { open: open() })
    expect(listed.stdout).toContain('laptop')
    expect(listed.stdout).not.toContain(token)
    const items = JSON.parse((await typed(['token', 'ls', '--json'], { open: open() })).stdout) as {
      items: { id: string }[]
    }
    const id = items.items[0]?.id ?? ''
    expect((await typed(['token', 'revoke', id], { open: open() })).exitCode).toBe(0)
    expect((await typed(['token', 'revoke', id], { open: open() })).exitCode).toBe(2)
    expect(await served.database.tokens.verify(token)).toBeNull()
  })

  it('doctor says what is there and what to type, and fails where something is missing', async () => {
    const good = await typed(['doctor'], { open: open() })
    expect([good.exitCode, good.stdout]).toEqual([0, expect.stringContaining('ok       database: works')])
    const entries: DoctorEntry[] = [
      { area: 'git', ok: false, detail: 'not found', todo: 'apt-get install git' },
    ]
    const doctor = () => Promise.resolve(entries)
    const bad = await typed(['doctor'], { open: open({ doctor }) })
    expect([bad.exitCode, bad.stdout]).toEqual([
      2,
      'missing  git: not found\n         → apt-get install git\n',
    ])
    const closed = await typed(['doctor', '--json'])
    expect(JSON.parse(closed.stdout)).toMatchObject({
      ok: false,
      areas: [{ detail: 'the database cannot be opened' }],
    })
  })

  it('serve says its address, answers, and ends well at the first signal', async () => {
    let drained = -1
    const startScheduler = () => ({
      running: 0,
      drain: (graceMs: number) => {
        drained = graceMs
        return Promise.resolve()
      },
    })
    const command = type(['serve', '--port', '0', '--grace', '5s', '--json'], {
      open: open({ startScheduler }),
    })
    const url = await until(() =>
      command.stdout() === '' ? null : (JSON.parse(command.stdout()) as { url: string }).url,
    )
    expect(command.stderr().split('\n')[0]).toBe('nightshift 1.2.3, 4 slots; runtime local works')
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ ready: true, reasons: [] })
    const task = (await (
      await fetch(`${url}/api/v1/tasks`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ repo: served.repo, prompt: 'p', command: 'true' }),
      })
    ).json()) as Task
    // An open stream must not keep the process.
    const stream = await fetch(`${url}/api/v1/tasks/${task.id}/events`, {
      headers: { accept: 'text/event-stream' },
    })
    command.interrupt()
    expect([await command.exitCode, drained]).toEqual([0, 5000])
    await stream.text()
    await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed')
  })

  it('serve refuses a port that is in use, and to be open to others without a token', async () => {
    const first = type(['serve', '--port', '0', '--json'], { open: open() })
    const url = await until(() =>
      first.stdout() === '' ? null : (JSON.parse(first.stdout()) as { url: string }).url,
    )
    const second = await typed(['serve', '--port', new URL(url).port], { open: open() })
    expect([second.exitCode, second.stderr]).toEqual([2, expect.stringContaining('is in use')])
    first.interrupt()
    await first.exitCode
    const others = await typed(['serve', '--port', '0', '--host', '0.0.0.0'], { open: open() })
    expect([others.exitCode, others.stderr]).toEqual([2, expect.stringContaining('nightshift token create')])
    const nowhere = await typed(['serve', '--port', '0', '--host', '192.0.2.1'], {
      open: open(),
      environment: { NIGHTSHIFT_TOKEN: 'x' },
    })
    expect(nowhere.exitCode).toBe(2)
  })

  it('worker says its runtime first, drains at the first signal, and does not start without a runtime', async () => {
    const command = type(['worker', '--slots', '2'], { open: open() })
    await until(() => (command.stderr() === '' ? null : true))
    expect(command.stderr()).toBe('nightshift 1.2.3 worker, 2 slots; runtime local works\n')
    command.interrupt()
    expect(await command.exitCode).toBe(0)
    expect((await typed(['worker'], { open: open({ doctor: withoutRuntime }) })).exitCode).toBe(2)
  })
})
