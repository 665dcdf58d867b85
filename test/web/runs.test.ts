import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { end, serveOnTest, type Served } from '../api/served.ts'
import { expectAccessible, noBrowser, openPage, Port, titleNote, withBrowser } from './browsing.ts'

const plan = `# A night of <b>work</b>

## Batch 1: Helpers

### Task 1.1: Write the helper
\`\`\`yaml
command: "true"
\`\`\`

### Task 1.2: Write it down
\`\`\`yaml
command: "true"
needs: ["1.1"]
\`\`\`

## Batch 2: Callers

### Task 2.1: Use the helper
\`\`\`yaml
command: "true"
needs: ["1.1", "1.2"]
\`\`\`
`

describe.skipIf(noBrowser)(`runs and schedules in a browser${titleNote}`, () => {
  const browser = withBrowser()
  let served: Served
  let port: Port
  let run: { id: string }
  beforeAll(async () => {
    served = await serveOnTest()
    port = new Port(served)
    await port.open()
    const started = await served.call('POST', '/api/v1/runs', { body: { plan, repo: served.repo } })
    expect([started.status, await started.clone().text()]).toEqual([202, expect.any(String)])
    run = (await started.json()) as { id: string }
    const schedule = {
      name: 'nightly',
      cron: '30 2 * * *',
      timeZone: 'Europe/Berlin',
      task: { repo: served.repo, prompt: 'Tidy up', command: 'true' },
    }
    expect((await served.call('POST', '/api/v1/schedules', { body: schedule })).status).toBe(201)
  })
  afterAll(async () => {
    await port.close()
    await served.close()
  })

  it.each([
    { phone: false, dark: true },
    { phone: true, dark: false },
  ])('are readable for everyone (%o)', async (size) => {
    const { page, faults } = await openPage(browser(), size)
    for (const path of ['/runs', `/runs/${run.id}`, '/schedules', '/runs/NONE']) {
      await page.goto(port.url + path)
      await expectAccessible(page)
    }
    expect(faults).toEqual([])
    await page.close()
  })

  it('show a run as batches with arrows, which fill while it goes on', async () => {
    const { page, faults } = await openPage(browser())
    await page.goto(`${port.url}/runs`)
    await page.getByRole('link', { name: 'A night of' }).click()
    expect(await page.locator('.batch h2').allInnerTexts()).toEqual([
      expect.stringContaining('Helpers'),
      expect.stringContaining('Callers'),
    ])
    expect(await page.locator('.arrows path').count()).toBe(3)
    const text = await page.locator('main').innerText()
    expect(text).toContain('0 of 3 done')
    await end(served, await served.claim(), 'no_changes')
    await page.getByText('1 of 3 done').waitFor()
    expect(await page.locator('.cell.calm, .cell.good').count()).toBeGreaterThan(0)
    await end(served, await served.claim(), 'agent_failed')
    await page.getByText(/3 of 3 done, 2 badly/).waitFor()
    await page.getByRole('button', { name: 'Do what failed again' }).click()
    await page.getByText('1 of 3 done').waitFor()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByText('3 of 3 done, 2 badly').waitFor()
    expect(faults).toEqual([])
    await page.close()
  })

  it('show a schedule with its last and next times, start it now, pause and resume it', async () => {
    const { page } = await openPage(browser(), { phone: true })
    await page.goto(`${port.url}/schedules`)
    const schedule = page.locator('.schedule', { hasText: 'nightly' })
    expect(await schedule.locator('.times li').count()).toBe(5)
    expect(await schedule.innerText()).toContain('Tidy up')
    await schedule.getByRole('button', { name: 'Pause' }).click()
    await schedule.getByText('none while it is paused').waitFor()
    await schedule.getByRole('button', { name: 'Resume' }).click()
    await schedule.locator('.times li').first().waitFor()
    await schedule.getByRole('button', { name: 'Run now' }).click()
    await page.waitForURL(/\/runs\/[0-9A-Z]{26}/)
    expect(await page.locator('main').innerText()).toContain('nightly')
    await page.close()
  })
})
