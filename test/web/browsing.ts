import { createRequire } from 'node:module'
import { readFile } from 'node:fs/promises'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import { createAccess } from '../../src/api/access.ts'
import { createApi, type Api } from '../../src/api/app.ts'
import { listen, type Listening } from '../../src/api/listen.ts'
import { chromiumArguments, chromiumPath } from '../support/chromium.ts'
import type { Served } from '../api/served.ts'

const path = await chromiumPath()

/** Why no page can be looked at here; `false`: they can. For `describe.skipIf`, which shows it in the title. */
export const noBrowser = path === null
export const titleNote = noBrowser ? ' (skipped: there is no Chromium on this machine)' : ''

/** A browser for all tests of a describe. */
export function withBrowser(): () => Browser {
  let browser: Browser | null = null
  beforeAll(async () => {
    if (path !== null) browser = await chromium.launch({ executablePath: path, args: chromiumArguments })
  })
  afterAll(() => browser?.close())
  return () => {
    if (browser === null) throw new Error('there is no browser')
    return browser
  }
}

/** A page, and everything that went wrong in it. */
export interface Watched {
  readonly page: Page
  readonly faults: string[]
}

export async function openPage(
  browser: Browser,
  options: { phone?: boolean; dark?: boolean } = {},
): Promise<Watched> {
  const page = await browser.newPage({
    viewport: options.phone === true ? { width: 390, height: 844 } : { width: 1280, height: 900 },
    colorScheme: options.dark === true ? 'dark' : 'light',
  })
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    // Of a server that is away on purpose, the browser tells too.
    if (message.type() === 'error' && !/Failed to load resource|ERR_/.test(message.text())) {
      faults.push(message.text())
    }
  })
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  return { page, faults }
}

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface AxeResult {
  violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[]
}

/** Fails where axe finds something serious, or the page is wider than the screen. */
export async function expectAccessible(page: Page): Promise<void> {
  // Not into the page, whose policy lets no such script in.
  const client = await page.context().newCDPSession(page)
  await client.send('Runtime.evaluate', { expression: axe })
  const found = await client.send('Runtime.evaluate', {
    expression: 'axe.run().then((result) => JSON.stringify({ violations: result.violations }))',
    awaitPromise: true,
  })
  await client.detach()
  const { violations } = JSON.parse(String(found.result.value)) as AxeResult
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  expect(
    serious.map(
      ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join('\n')}`,
    ),
    page.url(),
  ).toEqual([])
  const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')
  expect(Number(overflow), `${page.url()} is wider than the screen`).toBeLessThanOrEqual(0)
}

/** The API of a served system on a port of its own, which can be taken away and given back. */
export class Port {
  readonly #served: Served
  #api: Api | null = null
  #listening: Listening | null = null
  port = 0

  constructor(served: Served) {
    this.#served = served
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async open(): Promise<void> {
    const { system } = this.#served
    const access = createAccess({
      host: '127.0.0.1',
      port: () => this.port,
      tokens: system.tokens,
      sessions: system.sessions,
      environmentToken: null,
    })
    this.#api = createApi({ system, access })
    this.#listening = await listen({
      app: this.#api.app,
      host: '127.0.0.1',
      port: this.port,
      onError: () => {},
    })
    this.port = this.#listening.port
  }

  /** Cuts all connections, in the middle of whatever they send. */
  async close(): Promise<void> {
    await this.#listening?.close(0)
    await this.#api?.close()
  }
}
