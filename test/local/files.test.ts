import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { processTag } from '../../src/jail/process-tag.ts'
import { findGroupBase } from '../../src/jail/cgroup.ts'
import { groupName } from '../../src/local/work-folders.ts'
import { TooLarge, type Sandbox } from '../../src/ports/runtime.ts'
import { until } from '../support/nightshift.ts'
import { removeFolder } from '../support/repositories.ts'
import {
  asNormalUser,
  folderOfNormalUser,
  makeWorkplace,
  noSandbox,
  sh,
  title,
  type Workplace,
} from './workplace.ts'

/** How long the sleepers of these tests sleep, by which they are told from those of any other process. */
const mark = String(200_000_000 + process.pid)

describe.skipIf(noSandbox)(title('files of a sandbox'), () => {
  let place: Workplace
  let sandbox: Sandbox

  beforeAll(async () => {
    place = await makeWorkplace()
    sandbox = await place.open()
  })

  afterAll(() => place.close())

  it('are handed out when they are plain, up to a size', async () => {
    await sh(sandbox, `printf content >${sandbox.outPath}/plain; mkdir -p /work/sub`)
    expect((await sandbox.take('plain', 100))?.toString()).toBe('content')
    expect((await sandbox.take('plain', 7))?.toString()).toBe('content')
    await expect(sandbox.take('plain', 6)).rejects.toThrow(TooLarge)
    expect((await sh(sandbox, 'git status --porcelain')).stdoutTail).toBe('')
  })

  it('are not there when they are something else', async () => {
    await writeFile(join(place.folder, 'secret'), 'secret')
    const script = `cd ${sandbox.outPath}; ln -s ${place.folder}/secret link; ln -s plain inner; ln -s loop loop
      mkdir folder; mkfifo pipe; truncate -s 3G sparse
      perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, pack_sockaddr_un("socket"))'; ls | wc -l`
    expect((await sh(sandbox, script)).stdoutTail.trim()).toBe('8')
    for (const name of [
      'link',
      'inner',
      'loop',
      'folder',
      'pipe',
      'socket',
      'absent',
      '..',
      '.',
      '',
      '../clone/README.md',
    ]) {
      expect(await sandbox.take(name, 1000), name).toBeNull()
    }
    await expect(sandbox.take('sparse', 1000)).rejects.toThrow(TooLarge)
  })

  it('are gone when it is closed, whatever they are', async () => {
    const other = await place.open({ taskId: 'MESSY' })
    const script = `mkdir -p a/b/c many && touch a/b/c/d && chmod 000 a/b a && chmod 000 "$HOME" /tmp /out
      perl -e 'for (1..20000) { open(F, ">", "many/$_") or die } mkdir "deep"; for (1..1500) { chdir "deep" or die; mkdir "deep" }'
      printf x >"$(printf 'new\\nline \\377')"; ln -s /etc/passwd link; mkfifo pipe; chmod 000 .git .`
    await sh(other, script)
    const folder = join(place.home, 'work', 'MESSY-1-agent')
    expect(existsSync(folder)).toBe(true)
    await other.close()
    await other.close()
    expect((await place.left()).filter((name) => name.startsWith('MESSY'))).toEqual([])
    expect(groups(place.home, 'MESSY')).toEqual([])
  })

  it('of two sandboxes of one attempt are apart', async () => {
    const pair = await Promise.all([place.open({ taskId: 'TWICE' }), place.open({ taskId: 'TWICE' })])
    await sh(pair[0], 'echo one >file')
    expect((await sh(pair[1], 'ls')).stdoutTail).toBe('README.md\n')
    await Promise.all(pair.map((each) => each.close()))
  })

  it('are removed again where the clone cannot be made', async () => {
    const failing = await makeWorkplace({ clone: () => Promise.reject(new Error('no space left')) })
    await expect(failing.open()).rejects.toThrow(/could not be opened: no space left/)
    expect(await failing.left()).toEqual([])
    await failing.close()
  })
})

describe.skipIf(noSandbox)(title('what a process leaves behind'), () => {
  const child = fileURLToPath(new URL('owner-child.ts', import.meta.url))
  const owners: ChildProcess[] = []
  const folders: string[] = []
  let place: Workplace

  beforeAll(async () => {
    place = await makeWorkplace()
  })

  afterAll(async () => {
    for (const owner of owners) owner.kill('SIGKILL')
    await place.close()
    for (const folder of folders) await removeFolder(folder)
  })

  /** Starts a process with an open sandbox; resolves when a command runs in it. */
  async function startOwner(taskId: string): Promise<ChildProcess> {
    const owner = spawn(process.execPath, [child, place.home, taskId, mark], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    owners.push(owner)
    const [said] = (await once(owner.stdout, 'data')) as [Buffer]
    const [word, folder = ''] = said.toString().trim().split(' ')
    expect(word).toBe('started')
    folders.push(folder)
    await until(async () => (await sleepers()) >= 2 || null, 'the commands inside')
    return owner
  }

  it('ends with it when it is killed, and its files are swept, but not those of the living', async () => {
    const living = await place.open({ taskId: 'LIVING' })
    const owner = await startOwner('KILLED')
    owner.kill('SIGKILL')
    await until(async () => (await sleepers()) === 0 || null, 'everything inside to end')
    expect(await place.left()).toContain('KILLED-1-agent')

    await place.runtime.sweepDead()
    expect(await place.left()).toEqual(['LIVING-1-agent', 'LIVING-1-agent.json'])
    expect(groups(place.home, 'KILLED')).toEqual([])
    expect((await sh(living, 'echo alive')).stdoutTail).toBe('alive\n')
    await living.close()
  })

  it('runs no command after it, at whatever moment it is killed', { timeout: 300_000 }, async () => {
    const busy = fileURLToPath(new URL('busy-child.ts', import.meta.url))
    const home = await folderOfNormalUser()
    folders.push(home)
    for (let round = 0; round < 8; round++) {
      const argv = [...(asNormalUser ?? []), process.execPath, busy, join(home, 'home'), mark]
      const env = { PATH: '/usr/local/bin:/usr/bin:/bin', TMPDIR: home }
      const owner = spawn(argv[0] ?? '', argv.slice(1), { env, stdio: ['ignore', 'pipe', 'inherit'] })
      owners.push(owner)
      await once(owner.stdout, 'data')
      // A different moment each time: jails are being made, are at work, and are being ended.
      await delay(7 * round)
      owner.kill('SIGKILL')
      await until(async () => (await sleepers()) === 0 || null, 'everything inside to end')
    }
  })

  it('of a frozen process is ended and removed by who takes its task over, and by nobody else', async () => {
    const owner = await startOwner('FROZEN')
    owner.kill('SIGSTOP')
    await place.runtime.sweepDead()
    await place.runtime.reclaim('OTHER')
    expect(await place.left()).toContain('FROZEN-1-agent')
    expect(await sleepers()).toBe(2)

    await place.runtime.reclaim('FROZEN')
    expect(await sleepers()).toBe(0)
    expect(await place.left()).toEqual([])
    expect(groups(place.home, 'FROZEN')).toEqual([])
    const next = await place.open({ taskId: 'FROZEN', attempt: 2 })
    expect((await sh(next, 'echo mine')).stdoutTail).toBe('mine\n')
    await next.close()
    owner.kill('SIGKILL')
    await once(owner, 'exit')
  })

  it('is told by its record: broken ones are left alone while they are new', async () => {
    const work = join(place.home, 'work')
    await mkdir(join(work, 'NEW-1-agent'), { recursive: true })
    await mkdir(join(work, 'OLD-1-agent'))
    await symlink('/etc', join(work, 'OLD-1-agent', 'link'))
    await utimes(join(work, 'OLD-1-agent'), 0, 0)
    await place.runtime.sweepDead()
    expect(await place.left()).toEqual(['NEW-1-agent'])
    await place.runtime.reclaim('NEW')
    expect(await place.left()).toEqual([])
    expect(existsSync('/etc/passwd')).toBe(true)
  })

  it('of ours is ended when another attempt takes over', async () => {
    const old = await place.open({ taskId: 'MINE' })
    let started = false
    const running = sh(old, `echo started; sleep ${mark}`, { onLine: () => (started = true) })
    await until(() => started || null, 'the command to start')
    await place.runtime.reclaim('MINE')
    expect((await running).kind).toBe('aborted')
    expect(await place.left()).toEqual([])
  })
})

/** How many of the tests' own sleeping processes are left on the machine. */
async function sleepers(): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.filter((line) => line === `sleep\0${mark}\0`).length
}

/** Control groups of this home's sandboxes of a task, whichever process made them. */
function groups(home: string, taskId: string): string[] {
  const base = findGroupBase()
  if (base === null) return []
  const ending = groupName(join(home, 'work', `${taskId}-1-agent`)).slice(processTag().length)
  const parents = base.version === 1 ? [base.memory, base.pids] : [base.folder]
  return parents.flatMap((parent) => readdirSync(parent).filter((name) => name.endsWith(ending)))
}
