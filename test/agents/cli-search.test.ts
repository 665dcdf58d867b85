import { chmod, mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { createClaudeAgent } from '../../src/agents/claude.ts'
import { findCli } from '../../src/agents/cli-search.ts'
import { run } from '../../src/process/run.ts'
import { removeFolder } from '../support/repositories.ts'

let home: string
const homes: string[] = []
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'nightshift-home-'))
  homes.push(home)
})
afterAll(async () => {
  for (const each of homes) await removeFolder(each)
})

async function program(path: string, version = '1.2.3'): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `#!/bin/sh\necho "agent ${version} (something)"\n`)
  await chmod(path, 0o755)
  return path
}

function find(path = '/nonexistent', setting: string | null = null): string | null {
  return findCli('some-agent', { setting, path, userHome: home })
}

describe('the command line of an agent', () => {
  it.each([
    '.local/bin/some-agent',
    '.npm-global/bin/some-agent',
    '.volta/bin/some-agent',
    '.local/share/mise/shims/some-agent',
    '.nvm/versions/node/v24.1.0/bin/some-agent',
    '.asdf/shims/some-agent',
    '.bun/bin/some-agent',
  ])('is found in ~/%s, though the PATH does not name it', async (place) => {
    const path = await program(join(home, place))
    expect(find()).toBe(path)
  })

  it('is taken from the newest version of Node that has it', async () => {
    const versions = ['v9.11.2', 'v24.1.0', 'v22.5.0']
    for (const version of versions) await program(join(home, '.nvm/versions/node', version, 'bin/some-agent'))
    await mkdir(join(home, '.nvm/versions/node/v25.0.0/bin'), { recursive: true })
    expect(find()).toBe(join(home, '.nvm/versions/node/v24.1.0/bin/some-agent'))
  })

  it('is taken from the PATH before all others, and a link keeps its name', async () => {
    await program(join(home, '.local/bin/some-agent'))
    const real = await program(join(home, 'tools/real-agent'))
    await symlink(real, join(home, 'tools/some-agent'))
    expect(find(`relative:${join(home, 'tools')}`)).toBe(join(home, 'tools/some-agent'))
  })

  it('is only what can be run: no folder, no plain file, no link to nowhere', async () => {
    await mkdir(join(home, '.local/bin/some-agent'), { recursive: true })
    await mkdir(join(home, 'bin'))
    await writeFile(join(home, 'bin/some-agent'), 'text')
    await mkdir(join(home, '.bun/bin'), { recursive: true })
    await symlink('/nowhere/at/all', join(home, '.bun/bin/some-agent'))
    expect(find()).toBeNull()
  })

  it('is the one that a person names, or none', async () => {
    await program(join(home, '.local/bin/some-agent'))
    const named = await program(join(home, 'elsewhere/mine'))
    expect(find('/usr/bin', named)).toBe(named)
    expect(find('/usr/bin', join(home, 'missing'))).toBeNull()
  })
})

describe('what doctor says of it', () => {
  const agent = (path: string, setting: string | null = null, loginFile: string | null = null) =>
    createClaudeAgent({ path, setting, userHome: home, run, loginFile, hide: () => {} })

  it('is how to install it, or which setting is wrong', async () => {
    expect(await agent('/nonexistent').problems()).toMatchObject([
      { what: 'claude is not installed', todo: expect.stringContaining('@anthropic-ai/claude-code') },
    ])
    const [problem] = await agent('/usr/bin', '/no/such/claude').problems()
    expect(problem?.what).toBe('NIGHTSHIFT_CLAUDE_BIN is /no/such/claude, which is no program')
    const path = await program(join(home, '.local/bin/claude'))
    const [missing] = await agent('/usr/bin', path, '/no/such/login').problems()
    expect(missing?.what).toBe('NIGHTSHIFT_CLAUDE_LOGIN_FILE is /no/such/login, which is no file')
  })

  it('is its path and version, anew when it was changed', async () => {
    const path = await program(join(home, '.local/bin/claude'), '2.1.9')
    const claude = agent('/usr/bin:/bin')
    expect(await claude.program()).toEqual({ path, version: '2.1.9' })
    await program(path, '2.10.0-beta.1')
    expect(await claude.program()).toEqual({ path, version: '2.10.0-beta.1' })
  })
})
