import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/nightshift.ts'
import { sh, titleOf, type RuntimePlace, type RuntimeUnderTest } from './place.ts'

const mebibyte = 1024 * 1024

/** `SandboxLimits` and `Runtime.reclaim`: what a sandbox may use, and what is left of it for the next attempt. */
export function limitsContract(under: RuntimeUnderTest): void {
  describe.skipIf(under.skipped !== null)(titleOf(under, 'the limits of a sandbox'), () => {
    let place: RuntimePlace

    beforeAll(async () => {
      place = await under.make()
    })

    afterAll(() => place.close())

    it('end a command that takes more memory than it may', async () => {
      const sandbox = await place.open({ limits: { memoryBytes: 200 * mebibyte } })
      const hungry = `perl -e '$x = "x" x (400 * 1024 * 1024); sleep 30'`
      expect(await sh(sandbox, hungry)).toMatchObject({ kind: 'out_of_memory', exitCode: null })
      expect(await sh(sandbox, 'echo fine')).toMatchObject({ exitCode: 0, stdoutTail: 'fine\n' })
      await sandbox.close()
    })

    it('hold back a fork bomb', async () => {
      const sandbox = await place.open({ limits: { processes: 64 } })
      const bomb = `perl -e 'for (1..500) { my $pid = fork; last if !defined $pid; if (!$pid) { sleep 30; exit } print "." }'`
      const end = await sh(sandbox, `${bomb}; true`)
      expect(end.stdoutTail.length).toBeLessThan(100)
      expect(await sh(sandbox, 'echo fine')).toMatchObject({ exitCode: 0, stdoutTail: 'fine\n' })
      await sandbox.close()
    })

    it('let nobody get more rights', async () => {
      const sandbox = await place.open()
      const script = `id -u; grep -E '^Cap(Eff|Bnd|Prm)' /proc/self/status | cut -f2 | sort -u
        unshare --user true 2>/dev/null && echo unshared; mount -t tmpfs none /tmp 2>/dev/null && echo mounted; true`
      expect((await sh(sandbox, script)).stdoutTail).toBe('1000\n0000000000000000\n')
      await sandbox.close()
    })

    it('works here, it says, again and again', async () => {
      expect(await place.runtime.problems()).toEqual([])
      expect(await place.runtime.problems()).toEqual([])
    })

    it('what an attempt left is ended when another one takes over', async () => {
      const taskId = `TAKEN${process.pid}`
      const old = await place.open({ taskId })
      let started = false
      const running = sh(old, 'echo started; sleep 1000', { onLine: () => (started = true) })
      await until(() => started || null, 'the command to start')
      await place.runtime.reclaim(`OTHER${process.pid}`)
      await place.runtime.reclaim(taskId)
      expect((await running).kind).toBe('aborted')
      const next = await place.open({ taskId, attempt: 2 })
      expect((await sh(next, 'echo mine')).stdoutTail).toBe('mine\n')
      await next.close()
    })

    it('are its own: eight side by side do not get into each other’s way', async () => {
      const numbers = [1, 2, 3, 4, 5, 6, 7, 8]
      const said = await Promise.all(
        numbers.map(async (number) => {
          const sandbox = await place.open()
          const end = await sh(sandbox, `echo ${number} >own; sleep 0.3; cat own; ls | wc -l`)
          await sandbox.close()
          return end.stdoutTail
        }),
      )
      expect(said).toEqual(numbers.map((number) => `${number}\n2\n`))
    })
  })
}
