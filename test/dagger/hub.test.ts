import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { utimes } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { Hub } from '../../src/dagger/hub.ts'
import { removeFolder } from '../support/repositories.ts'

const module = fileURLToPath(new URL('../../src/dagger/hub-folder.ts', import.meta.url))
const killed = `const { makeHubFolder } = await import(${JSON.stringify(module)})
const { socketPath } = await makeHubFolder()
require('node:net').createServer().listen(socketPath, () => console.log(socketPath))`

it('a hub removes what killed processes have left of theirs, and leaves those that live alone', async () => {
  const living = await Hub.open('token')
  const child = spawn(process.execPath, ['--input-type=commonjs', '-e', `(async () => { ${killed} })()`])
  const [said] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
  const left = said.trim()
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
  try {
    // One that was just made may be about to listen.
    await (await Hub.open('token')).close()
    expect(existsSync(left)).toBe(true)
    await utimes(left, 0, 0)
    await utimes(living.path, 0, 0)
    const next = await Hub.open('token')
    expect(existsSync(dirname(left))).toBe(false)
    expect(existsSync(living.path)).toBe(true)
    await next.close()
    expect(existsSync(dirname(next.path))).toBe(false)
  } finally {
    await living.close()
    await removeFolder(dirname(left))
  }
})
