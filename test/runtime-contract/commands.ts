import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RuntimeFailure, type OutputLine, type Sandbox } from '../../src/ports/runtime.ts'
import { until } from '../support/nightshift.ts'
import { sh, titleOf, type RuntimePlace, type RuntimeUnderTest } from './place.ts'

/** How long the sleepers of these tests sleep, by which they are told from those of any other process. */
const mark = String(100_000_000 + process.pid)

/** `Sandbox.exec`: how a command starts, what it is given, how it is heard, and every way in which it ends. */
export function commandsContract(under: RuntimeUnderTest): void {
  describe.skipIf(under.skipped !== null)(titleOf(under, 'a command in a sandbox'), () => {
    let place: RuntimePlace
    let sandbox: Sandbox

    beforeAll(async () => {
      place = await under.make()
      sandbox = await place.open()
    })

    afterAll(async () => {
      await sandbox.close()
      await place.close()
    })

    it('starts in a clean clone, as nobody in particular, with an environment of its own', async () => {
      const end = await sh(
        sandbox,
        'pwd; id -u; whoami; git status --porcelain --branch; env | cut -d= -f1 | sort',
      )
      const [folder, uid, name, branch, ...variables] = end.stdoutTail.trim().split('\n')
      expect([folder, uid, name, branch]).toEqual(['/work', '1000', 'agent', '## main'])
      const given = ['HOME', 'LANG', 'LOGNAME', 'PATH', 'PWD', 'SHELL', 'TERM', 'TMPDIR', 'USER']
      expect(variables.filter((variable) => !under.moreVariables.test(variable))).toEqual(given)
      expect(sandbox.clonePath).toBe('/work')
    })

    it('gets the variables it is given, whatever is in them, and nothing shows them to others', async () => {
      const value = 'a "quoted"\nvalue; $HOME --setenv X y'
      const end = await sh(sandbox, 'printf %s "$GIVEN"; tr "\\0" "\\n" </proc/1/environ >&2', {
        env: { GIVEN: value },
      })
      expect(end.stdoutTail).toBe(value)
      expect(end.stderrTail).not.toContain('GIVEN')
      expect(end.stderrTail).toMatch(/^(PWD=\/\n|SHLVL=\d+\n|_=.*\n)*$/)
    })

    it('commits with the name it was given', async () => {
      const end = await sh(sandbox, 'git commit -q --allow-empty -m x && git log -1 --format="%an <%ae>"')
      expect(end.stdoutTail).toBe('Test <test@example.org>\n')
    })

    it.each([
      ['exit 0', 0],
      ['exit 7', 7],
      ['kill -9 $$', 137],
      ['kill -TERM $$', 143],
      ['nosuchprogram', 127],
    ])('that does %s ends with %i', async (script, exitCode) => {
      expect(await sh(sandbox, script)).toMatchObject({ kind: 'exited', exitCode })
    })

    it('that is not there ends with 127, and one that cannot be run with 126', async () => {
      const end = await sh(sandbox, '', { argv: ['/no/such/program'] })
      expect(end).toMatchObject({ kind: 'exited', exitCode: 127 })
      expect(end.stderrTail).toContain('/no/such/program')
      expect(await sh(sandbox, '', { argv: ['/etc/passwd'] })).toMatchObject({
        kind: 'exited',
        exitCode: 126,
      })
    })

    it('is told line by line while it runs', async () => {
      const lines: OutputLine[] = []
      const heard = new AbortController()
      const end = await sh(sandbox, 'echo one; echo two >&2; read never </dev/zero || sleep 1000', {
        signal: heard.signal,
        onLine: (line) => {
          lines.push(line)
          if (lines.length === 2) heard.abort()
        },
      })
      expect(end.kind).toBe('aborted')
      expect(lines.toSorted((a, b) => (a.stream < b.stream ? 1 : -1))).toEqual([
        { stream: 'stdout', text: 'one' },
        { stream: 'stderr', text: 'two' },
      ])
    })

    it('can write to /dev/stdout and /dev/stderr, and read /dev/stdin', async () => {
      const end = await sh(sandbox, 'echo out >/dev/stdout; echo err >/dev/stderr; cat /dev/stdin', {
        stdin: Buffer.from('in'),
      })
      expect(end).toMatchObject({ stdoutTail: 'out\nin', stderrTail: 'err\n' })
    })

    it('has its stdin closed unless it is fed', async () => {
      expect((await sh(sandbox, 'cat | wc -c')).stdoutTail.trim()).toBe('0')
      const stdin = Buffer.alloc(3_000_000, 'x')
      expect((await sh(sandbox, 'cat | wc -c', { stdin })).stdoutTail.trim()).toBe('3000000')
      expect(await sh(sandbox, 'exit 3', { stdin })).toMatchObject({ exitCode: 3 })
    })

    it('may print 50 MB: every line is told, the last 64 KiB are kept', async () => {
      let count = 0
      const script = `awk 'BEGIN { for (i = 0; i < 500000; i++) printf "%099d\\n", i }'`
      const end = await sh(sandbox, script, { onLine: () => count++ })
      expect(end.kind).toBe('exited')
      expect(count).toBe(500_000)
      expect(end.stdoutTail.length).toBe(64 * 1024)
      expect(end.stdoutTail.endsWith('499999\n')).toBe(true)
    })

    it('that takes too long, is silent or is aborted is ended, and says which', async () => {
      expect(await sh(sandbox, 'sleep 1000', { timeoutMs: 200 })).toMatchObject({
        kind: 'timed_out',
        exitCode: null,
      })
      const talk = 'for i in 1 2 3 4; do echo $i; sleep 0.2; done; sleep 1000'
      expect(await sh(sandbox, talk, { silenceMs: 1500 })).toMatchObject({
        kind: 'silent',
        stdoutTail: '1\n2\n3\n4\n',
      })
      expect(await sh(sandbox, 'sleep 1000', { signal: AbortSignal.timeout(200) })).toMatchObject({
        kind: 'aborted',
      })
      expect(await sh(sandbox, 'echo never', { signal: AbortSignal.abort() })).toMatchObject({
        kind: 'aborted',
        stdoutTail: '',
      })
    })

    it.each([
      ['in the background', `sleep ${mark} & echo started`],
      ['in a session of its own', `setsid sh -c "sleep ${mark}" >/dev/null 2>&1 </dev/null & echo started`],
      ['forked twice', `(sh -c "sleep ${mark} >/dev/null 2>&1 &" &); echo started`],
      ['stopped', `sleep ${mark} & kill -STOP $!; echo started`],
      ['deaf to signals', `(trap "" TERM HUP INT; sleep ${mark} & wait) >/dev/null 2>&1 & echo started`],
    ])('leaves nothing that it started %s', async (_how, script) => {
      expect(await sh(sandbox, script)).toMatchObject({ exitCode: 0, stdoutTail: 'started\n' })
      expect((await sh(sandbox, 'ls /proc | grep -c "^[0-9]"')).stdoutTail.trim()).toMatch(/^[1-5]$/)
      expect(sleepers()).toEqual([])
    })

    it('is all gone at the very moment when it is told to have ended', async () => {
      for (let round = 0; round < 5; round++) {
        await sh(
          sandbox,
          `perl -e 'for (1..200) { fork or exec "sleep", "${mark}" }' >/dev/null 2>&1; echo started`,
        )
        expect(sleepers()).toEqual([])
      }
    })

    it('can be aborted at any moment, also while its jail is being made', async () => {
      const script = `sleep ${mark} & sleep ${mark}`
      for (let ms = 0; ms < 60; ms += 5) {
        const signals = [0, 1, 2, 3].map((more) => AbortSignal.timeout(ms + more))
        const ends = await Promise.all(signals.map((signal) => sh(sandbox, script, { signal })))
        expect(new Set(ends.map((end) => end.kind))).toEqual(new Set(['aborted']))
        expect(sleepers()).toEqual([])
      }
      expect((await sh(sandbox, 'echo fine')).stdoutTail).toBe('fine\n')
    })

    it('is ended when who listens to it fails, and says with what', async () => {
      const onLine = () => {
        throw new Error('the listener is broken')
      }
      await expect(sh(sandbox, `echo one; sleep ${mark}`, { onLine })).rejects.toThrow(
        'the listener is broken',
      )
      expect(sleepers()).toEqual([])
    })

    it('can run beside others in the same sandbox', async () => {
      const ends = await Promise.all([1, 2, 3, 4].map((number) => sh(sandbox, `sleep 0.2; echo ${number}`)))
      expect(ends.map((end) => end.stdoutTail)).toEqual(['1\n', '2\n', '3\n', '4\n'])
    })

    it('is ended when its sandbox is closed, after which there are no more', async () => {
      const other = await place.open()
      let started = false
      const running = sh(other, `echo started; sleep ${mark}`, { onLine: () => (started = true) })
      await until(() => started || null, 'the command to start')
      await other.close()
      expect((await running).kind).toBe('aborted')
      await expect(sh(other, 'true')).rejects.toThrow(RuntimeFailure)
      expect(sleepers()).toEqual([])
      await other.close()
    })
  })
}

/** Processes of the machine that the tests' sandboxes started; looked for without any pause. */
function sleepers(): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.filter((pid) => commandLine(pid) === `sleep\0${mark}\0`)
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
