import { createHmac } from 'node:crypto'
import type { EndNotice } from '../ports/task-store.ts'

const timeoutMs = 15_000

/**
 * Posts the end of a task to a URL: `{"event": "task.ended", "task": TASK}`, signed as GitHub signs its own. The same
 * end can come twice, where the answer was lost: `X-Nightshift-Delivery`, the id of the task, tells.
 */
export function httpTeller(url: string, secret: string | null): (notice: EndNotice) => Promise<void> {
  return async ({ task, tries }) => {
    const body = JSON.stringify({ event: 'task.ended', task })
    const signature =
      secret === null
        ? {}
        : {
            'x-nightshift-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
          }
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'nightshift',
        'x-nightshift-event': 'task.ended',
        'x-nightshift-delivery': task.id,
        'x-nightshift-try': String(tries),
        ...signature,
      },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    await response.body?.cancel()
    if (!response.ok) throw new Error(`${new URL(url).host} answered ${response.status}`)
  }
}
