import { readFile, readdir } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const source = fileURLToPath(new URL('../src', import.meta.url))

/** Which rooms a room may import from, beside itself. Nothing goes the other way. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  model: [],
  ports: ['model'],
  process: ['ports'],
  config: ['model'],
  core: ['model', 'ports', 'config'],
  postgres: ['model', 'ports', 'process'],
  git: ['model', 'ports', 'process'],
  jail: ['model', 'ports', 'process'],
  local: ['model', 'ports', 'process', 'jail'],
  dagger: ['model', 'ports', 'process', 'jail', 'git'],
  gateway: ['model', 'ports', 'process'],
  agents: ['model', 'ports', 'process'],
  github: ['model', 'ports'],
  notify: ['model', 'ports'],
  telemetry: ['model', 'ports'],
  secretlint: ['model', 'ports'],
  client: ['model', 'ports'],
  web: ['model', 'ports', 'core'],
  api: ['model', 'ports', 'core', 'config', 'web'],
  cli: ['model', 'ports', 'core', 'config', 'client', 'api'],
  main: [
    'model',
    'ports',
    'process',
    'core',
    'config',
    'postgres',
    'git',
    'local',
    'dagger',
    'jail',
    'gateway',
    'agents',
    'github',
    'notify',
    'telemetry',
    'web',
    'client',
    'secretlint',
    'api',
    'cli',
  ],
}

interface Import {
  readonly file: string
  readonly from: string
  readonly to: string
}

async function allImports(): Promise<Import[]> {
  const files = (await readdir(source, { recursive: true })).filter((file) => file.endsWith('.ts'))
  const found = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(source, file), 'utf8')
      return [...text.matchAll(/(?:from|import) '(\.[^']+)'/g)].map((match) => ({
        file,
        from: roomOf(file),
        to: roomOf(relative(source, resolve(join(source, dirname(file)), match[1] ?? ''))),
      }))
    }),
  )
  return found.flat()
}

function roomOf(file: string): string {
  return (file.split('/')[0] ?? '').replace(/\.ts$/, '')
}

describe('the rooms', () => {
  it('import one way only', async () => {
    const imports = await allImports()
    expect(imports.length).toBeGreaterThan(50)
    const wrong = imports.filter(({ from, to }) => from !== to && !mayImport[from]?.includes(to))
    expect(wrong.map(({ file, to }) => `${file} must not import from ${to}`)).toEqual([])
  })
})
