import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { run } from '../../src/process/run.ts'

const file = fileURLToPath(new URL('../../docker-compose.yml', import.meta.url))
const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' }
const noCompose = await run(['docker', 'compose', 'version'], { env, timeoutMs: 60_000 }).then(
  ({ exitCode }) => (exitCode === 0 ? null : 'there is no docker compose'),
  () => 'there is no docker',
)

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      { image: string; healthcheck?: object; volumes?: string[]; environment?: object; ports?: string[] }
    >
  >
  readonly volumes: object
}

describe('docker-compose.yml', () => {
  it('has a database, an engine, the API and a worker, each with its health check and what it keeps', async () => {
    const { services, volumes } = parse(await readFile(file, 'utf8'), { merge: true }) as Compose
    expect(Object.keys(services)).toEqual(['postgres', 'engine', 'api', 'worker'])
    for (const [name, service] of Object.entries(services)) {
      expect(service.healthcheck, name).toBeDefined()
      const kept = service.volumes?.map((volume) => volume.split(':')[0])
      expect(kept, name).toEqual([name])
      expect(Object.keys(volumes)).toContain(name)
    }
    expect(services['api']?.ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:/)])
  })

  it('holds no secret: each comes from outside', async () => {
    const { services } = parse(await readFile(file, 'utf8'), { merge: true }) as Compose
    for (const service of Object.values(services)) {
      for (const [name, value] of Object.entries(service.environment ?? {})) {
        if (/TOKEN|KEY|PASSWORD|SECRET/.test(name)) expect(value, name).toMatch(/^\$\{\w+:-\}$/)
      }
    }
  })

  it.skipIf(noCompose)(
    `is taken by docker compose${noCompose === null ? '' : ` (skipped: ${noCompose})`}`,
    async () => {
      const ended = await run(['docker', 'compose', '-f', file, 'config', '--quiet'], {
        env,
        timeoutMs: 60_000,
      })
      expect(ended.stderr).toBe('')
      expect(ended.exitCode).toBe(0)
    },
  )
})
