import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { run } from '../../src/process/run.ts'
import { attack, broken, type Attempts } from './attacks.ts'
import { asNormalUser, folderOfNormalUser, makeWorkplace, noSandbox, title } from './workplace.ts'

const child = fileURLToPath(new URL('attacks-child.ts', import.meta.url))

/** Every attack was tried, and none came through. */
function expectHeld(attempts: Attempts): void {
  for (const [name, end] of Object.entries(attempts)) {
    expect(end.stdoutTail, `${name}: ${end.stderrTail}`).not.toContain(broken)
  }
  const { 'taking more memory than allowed': hog, 'killing all it can': killing, ...others } = attempts
  const { 'stopping itself': stopping, 'working on afterwards': afterwards, ...plain } = others
  for (const [name, end] of Object.entries(plain)) {
    expect({ name, said: end.stdoutTail.trim().split('\n').at(-1) }).toEqual({ name, said: 'held' })
  }
  expect(Object.keys(plain).length).toBeGreaterThan(25)
  expect(hog?.kind).toBe('out_of_memory')
  expect(killing?.stdoutTail).toBe('alone\n')
  expect(stopping?.kind).toBe('timed_out')
  expect(afterwards?.stdoutTail).toBe('fine\n')
}

describe.skipIf(noSandbox)(title('attacks from a sandbox'), { timeout: 300_000 }, () => {
  it('are held, as the user that runs the tests', async () => {
    const place = await makeWorkplace()
    try {
      expectHeld(await attack(place))
    } finally {
      await place.close()
    }
    expect(await place.left()).toEqual([])
  })

  const unable = asNormalUser === null ? 'this checkout is in a folder that is closed to others' : null

  it.skipIf(unable)(title('are held, as a normal user without any cgroup', unable), async () => {
    const home = await folderOfNormalUser()
    try {
      const ended = await run([...(asNormalUser ?? []), process.execPath, child], {
        env: { HOME: home, PATH: '/usr/local/bin:/usr/bin:/bin', TMPDIR: home },
        timeoutMs: 600_000,
      })
      expect(ended.stderr).toBe('')
      const said = JSON.parse(ended.stdout.toString()) as {
        attempts?: Attempts
        left?: string[]
        noSandbox?: string
      }
      if (said.attempts === undefined) throw new Error(`a normal user can make no sandbox: ${said.noSandbox}`)
      expectHeld(said.attempts)
      expect(said.left).toEqual([])
    } finally {
      await rm(home, { recursive: true, force: true })
    }
  })
})
