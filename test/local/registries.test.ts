import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRegistries } from '../../src/local/registries.ts'
import { run } from '../../src/process/run.ts'

// The tools stand in by scripts that say what the real ones say: which of these a machine has cannot be known.
let folder: string
let server: Server
let port: number
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nightshift-registries-'))
  server = createServer((_, answer) => answer.end('{"dl": "https://files.example.org/crates"}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterEach(async () => {
  server.close()
  await rm(folder, { recursive: true, force: true })
})

async function tool(name: string, script: string) {
  await mkdir(join(folder, 'bin'), { recursive: true })
  await writeFile(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`)
  await chmod(join(folder, 'bin', name), 0o755)
  return createRegistries({ path: `${join(folder, 'bin')}:/usr/bin:/bin`, userHome: folder, run })
}

describe('a registry', () => {
  it('is where npm says it fetches from', async () => {
    const find = await tool('npm', 'echo https://npm.example.org:8443/all/')
    expect(await find('npm')).toEqual(['npm.example.org:8443'])
  })

  it('of go may be several, direct not being one', async () => {
    const find = await tool(
      'go',
      "echo 'https://proxy.example.org|https://two.example.org,direct'; echo sum.example.org",
    )
    expect(await find('go')).toEqual(['proxy.example.org', 'two.example.org', 'sum.example.org'])
  })

  it('of cargo is what it complains of, and the host of the packages that the index names', async () => {
    const url = `http://127.0.0.1:${port}/index/config.json`
    const find = await tool('cargo', `echo '  failed to download from \`${url}\`' >&2; exit 101`)
    expect(await find('cargo')).toEqual([`127.0.0.1:${port}`, 'files.example.org'])
  })

  it('of maven is what it may not access, a mirror included, and no page of its help', async () => {
    const find = await tool(
      'mvn',
      `echo 'Non-resolvable parent POM: Cannot access mine (https://maven.example.org/all) in offline mode'
       echo '[Help 1] https://help.example.org/page'; exit 1`,
    )
    expect(await find('maven')).toEqual(['maven.example.org'])
  })

  it('is unknown where the tool is missing, fails, or says nothing of the kind', async () => {
    const find = await tool('npm', 'exit 1')
    expect(await find('npm')).toBeNull()
    const silent = await tool('cargo', 'exit 0')
    expect(await silent('cargo')).toBeNull()
    const missing = createRegistries({ path: join(folder, 'nowhere'), userHome: folder, run })
    expect(await missing('maven')).toBeNull()
  })
})
