import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { icon, style } from './style.ts'

export interface Asset {
  readonly body: string
  readonly type: string
  readonly etag: string
}

/** Everything that pages load, by path; nothing comes from elsewhere. */
export async function readAssets(): Promise<ReadonlyMap<string, Asset>> {
  const script = (name: string) => readFile(new URL(`browser/${name}`, import.meta.url), 'utf8')
  const javascript = 'text/javascript; charset=utf-8'
  return new Map([
    ['/assets/style.css', asset(style, 'text/css; charset=utf-8')],
    ['/assets/icon.svg', asset(icon, 'image/svg+xml')],
    ['/assets/client.js', asset(await script('client.js'), javascript)],
    ['/assets/ansi.js', asset(await script('ansi.js'), javascript)],
  ])
}

function asset(body: string, type: string): Asset {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  return { body, type, etag }
}
