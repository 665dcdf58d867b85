import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { noEvidence } from '../../src/model/evidence.ts'
import type { NewEvent } from '../../src/model/event.ts'
import type { Lease } from '../../src/ports/lease.ts'
import { end, output, serveOnTest, type Served } from '../api/served.ts'
import { until } from '../support/nightshift.ts'
import { expectAccessible, noBrowser, openPage, Port, titleNote, withBrowser } from './browsing.ts'

const sizes = [
  { name: 'on a desktop', phone: false, dark: false },
  { name: 'on a desktop in the dark', phone: false, dark: true },
  { name: 'on a phone', phone: true, dark: false },
  { name: 'on a phone in the dark', phone: true, dark: true },
] as const

/** Nobody sends heartbeats here. */
async function claimForLong(served: Served): Promise<Lease> {
  const lease = await served.claim()
  await served.database.query(
    "update tasks set lease_until = now() + interval '1 hour' where state = 'running'",
  )
  return lease
}

const step = (type: 'step.started' | 'step.ended', name: NewEvent['step'], ok = true): NewEvent => ({
  type,
  step: name,
  text: ok ? '' : 'it failed',
  data: type === 'step.ended' ? { durationMs: 1200, ok } : {},
})

describe.skipIf(noBrowser)(`the dashboard in a browser${titleNote}`, () => {
  const browser = withBrowser()
  let served: Served
  let port: Port
  let rejected: string

  beforeAll(async () => {
    served = await serveOnTest()
    port = new Port(served)
    await port.open()
    rejected = (
      await served.submit({ prompt: `Delete a test <b>now</b>\n\n${'and more of it '.repeat(200)}` })
    ).id
    await workOn(await claimForLong(served), 'rejected')
    await served.submit({
      prompt: 'Wait for another',
      needs: [(await served.submit({ prompt: 'First' })).id],
    })
    await served.submit({ prompt: 'Find this needle in the haystack' })
    await claimForLong(served)
  })
  afterAll(async () => {
    await port.close()
    await served.close()
  })

  async function workOn(lease: Lease, outcome: 'rejected'): Promise<void> {
    const { store } = served.database
    await store.record(lease, [
      step('step.started', 'agent'),
      output('\u001b[32mgreen\u001b[0m <script>alert(1)</script>\n'),
      step('step.ended', 'agent'),
      step('step.started', 'policy'),
      step('step.ended', 'policy', false),
    ])
    const evidence = {
      ...noEvidence(),
      baseSha: 'a'.repeat(40),
      policy: {
        passed: false,
        violations: [
          { rule: 'tests', file: 'test/a.test.ts', line: 3, message: 'The test "x" is gone. Put it back.' },
        ],
      },
      checks: [
        { name: 'lint', command: 'npx oxlint', files: ['a.ts'], exitCode: 0, durationMs: 812 },
        {
          name: 'test',
          command: 'npm test',
          files: [],
          exitCode: 1,
          durationMs: 90_000,
          outputTail: 'one failed',
        },
      ],
      agent: {
        name: 'command',
        version: '1.0',
        exitCode: 0,
        turns: 4,
        inputTokens: 1200,
        outputTokens: 300,
        costUsd: 0.42,
      },
      review: {
        verdict: 'request_changes' as const,
        findings: [
          { file: 'a.ts', line: 7, severity: 'blocking' as const, message: '<b>Off</b> by one.' },
          { file: 'README.md', line: null, severity: 'minor' as const, message: 'Say so.' },
        ],
      },
    }
    const diff = `diff --git a/test/a.test.ts b/test/a.test.ts\n--- a/test/a.test.ts\n+++ b/test/a.test.ts\n@@ -1,2 +1 @@\n-it('x')\n same\n`
    await store.settle(lease, { outcome, reason: 'The work breaks the policy.', evidence }, Buffer.from(diff))
  }

  it.each(sizes)('is readable for everyone $name, page by page', async (size) => {
    const { page, faults } = await openPage(browser(), size)
    for (const path of [
      '/',
      '/tasks',
      '/tasks?text=nothing-like-it',
      `/tasks/${rejected}`,
      '/login',
      '/tasks/NONE',
    ]) {
      await page.goto(port.url + path)
      await expectAccessible(page)
    }
    expect(faults).toEqual([])
    await page.close()
  })

  it('leads from what needs a person to why, by mouse', async () => {
    const { page, faults } = await openPage(browser())
    await page.goto(port.url)
    await page.getByRole('link', { name: /Delete a test/ }).click()
    await page.getByRole('heading', { level: 1, name: 'Delete a test <b>now</b>' }).waitFor()
    const text = await page.locator('main').innerText()
    for (const fact of [
      'rejected',
      'The work breaks the policy.',
      'test/a.test.ts:3',
      'one failed',
      '1.2k',
      '$0.42',
      'changes asked for',
      'a.ts:7',
      '<b>Off</b> by one.',
      'Say so.',
    ]) {
      expect(text).toContain(fact)
    }
    expect(await page.locator('#output').innerText()).toContain('<script>alert(1)</script>')
    expect(await page.locator('#output .ansi-green').innerText()).toBe('green')
    expect(await page.locator('pre.diff .del').innerText()).toContain("-it('x')")
    expect(await page.locator('.timeline .bar').count()).toBeGreaterThan(1)
    expect(faults).toEqual([])
    await page.close()
  })

  it('finds tasks by words, state and outcome, by keyboard alone', async () => {
    const { page } = await openPage(browser())
    await page.goto(`${port.url}/tasks`)
    await page.keyboard.press('/')
    await page.keyboard.type('needle hay')
    await page.keyboard.press('Enter')
    await page.waitForURL(/text=needle/)
    expect(await page.locator('.row').count()).toBe(1)
    await page.goto(`${port.url}/tasks?outcome=rejected`)
    expect(await page.locator('.row').allInnerTexts()).toEqual([expect.stringContaining('Delete a test')])
    await page.goto(`${port.url}/tasks?state=held`)
    expect(await page.locator('.row').allInnerTexts()).toEqual([expect.stringContaining('waits for task')])
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    await page.close()
  })

  it('shows what happens while it happens, on overview and list, without a reload', async () => {
    const { page } = await openPage(browser())
    await page.goto(port.url)
    await page.evaluate('window.same = true')
    await served.submit({ prompt: 'Something new', priority: 10 })
    const lease = await claimForLong(served)
    await page.locator('.row', { hasText: 'Something new' }).waitFor()
    await end(served, lease, 'agent_failed')
    await page.locator('.row', { hasText: 'Something new' }).locator('.badge.bad').waitFor()
    expect(await page.evaluate('window.same')).toBe(true)
    await page.close()
  })

  it('cancels a task and does it again by its buttons', async () => {
    const task = await served.submit({ prompt: 'To be cancelled' })
    const { page } = await openPage(browser(), { phone: true })
    await page.goto(`${port.url}/tasks/${task.id}`)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.locator('.badge', { hasText: 'cancelled' }).first().waitFor()
    await page.getByRole('button', { name: 'Do it again' }).click()
    await page.locator('.badge', { hasText: 'queued' }).first().waitFor()
    expect(page.url()).not.toContain(task.id)
    await page.close()
  })
})

describe.skipIf(noBrowser)(`live output in a browser${titleNote}`, () => {
  const browser = withBrowser()
  let served: Served
  let port: Port
  beforeAll(async () => {
    served = await serveOnTest()
    port = new Port(served)
    await port.open()
  })
  afterAll(async () => {
    await port.close()
    await served.close()
  })

  it('follows, pauses, goes on, and loses and doubles nothing when the connection is lost', async () => {
    const task = await served.submit({ prompt: 'Talk' })
    const lease = await claimForLong(served)
    const { page, faults } = await openPage(browser())
    let count = 0
    const say = async (lines: number) => {
      const text = Array.from({ length: lines }, () => `line ${count++}\n`)
      await served.database.store.record(
        lease,
        text.map((line) => output(line)),
      )
    }
    const seen = async () => {
      const lines = await page.locator('#output .line:not(.step)').allInnerTexts()
      return lines.map((line) => line.trim())
    }
    const untilSeen = () =>
      until(async () => ((await seen()).length >= count ? true : null), `${count} lines`)

    await say(5)
    await page.goto(`${port.url}/tasks/${task.id}`)
    await untilSeen()
    await say(70)
    await untilSeen()

    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('paused').waitFor()
    const before = await seen()
    await say(60)
    await page.waitForTimeout(500)
    expect(await seen()).toEqual(before)
    await page.getByRole('button', { name: 'Go on' }).click()
    await untilSeen()

    for (let loss = 0; loss < 3; loss += 1) {
      await say(20)
      await port.close()
      await say(60)
      await page.getByText('The connection is lost').waitFor()
      await port.open()
      await say(20)
      await untilSeen()
    }
    expect(await seen()).toEqual(Array.from({ length: count }, (_, index) => `line ${index}`))

    await end(served, lease)
    await page.locator('.badge', { hasText: 'no changes' }).first().waitFor()
    await page.getByText('it has ended').waitFor()
    expect(faults).toEqual([])
    await page.close()
  })

  it('of 50 MB with every trick shows its end, then what is kept of it, runs nothing, and stays usable', async () => {
    const task = await served.submit({ prompt: 'Flood' })
    const lease = await claimForLong(served)
    const nasty = [
      '<script>alert(1)</script><img src=x onerror=alert(2)>',
      '\u001b]8;;javascript:alert(3)\u001b\\click\u001b]8;;\u001b\\',
      '\u001b[2J\u001b[31m\u202ered\u0000\ufffd',
      'x'.repeat(16_000),
    ].join('\n')
    const flood = async (rounds: number) => {
      const events = Array.from({ length: 10 }, () => output(`${nasty}\n`))
      for (let round = 0; round < rounds; round += 1) await served.database.store.record(lease, events)
    }
    await flood(120)
    const { page, faults } = await openPage(browser())
    const started = performance.now()
    await page.goto(`${port.url}/tasks/${task.id}`)
    await page.locator('#output .line').first().waitFor()
    expect(performance.now() - started).toBeLessThan(20_000)
    await served.database.store.record(
      lease,
      Array.from({ length: 9000 }, (_, index) => output(`<b>${index}</b>\n`)),
    )
    await page.locator('#output .line', { hasText: '<b>8999</b>' }).waitFor()
    await flood(190)
    await page.locator('#output .line', { hasText: 'the rest of it is not kept' }).waitFor()
    expect(await page.locator('#output > *').count()).toBeLessThanOrEqual(5000)
    expect(await page.locator('#output b, #output script, #output img, #output a').count()).toBe(0)
    await expectAccessible(page)
    expect(faults).toEqual([])
    await page.close()
  })
})

describe.skipIf(noBrowser)(`signing in with a browser${titleNote}`, () => {
  const browser = withBrowser()
  let served: Served
  let port: Port
  beforeAll(async () => {
    served = await serveOnTest()
    port = new Port(served)
    await port.open()
  })
  afterAll(async () => {
    await port.close()
    await served.close()
  })

  it('leads to the page that was asked for, keeps live parts alive, and out again', async () => {
    const task = await served.submit({ prompt: 'Behind the login' })
    const { token } = await served.system.tokens.create('person')
    const { page, faults } = await openPage(browser())
    await page.goto(`${port.url}/tasks/${task.id}`)
    await page.getByLabel('Token').fill('wrong')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    await expectAccessible(page)
    await page.getByLabel('Token').fill(token)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Behind the login' }).waitFor()
    const lease = await claimForLong(served)
    await served.database.store.record(lease, [output('hello from the sandbox\n')])
    await page.locator('#output', { hasText: 'hello from the sandbox' }).waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await page.goto(port.url)
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    expect(faults).toEqual([])
    await page.close()
  })
})
