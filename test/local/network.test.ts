import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { createServer as createTls } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLocalRuntime } from '../../src/local/local-runtime.ts'
import type { Network } from '../../src/model/network.ts'
import type { Sandbox } from '../../src/ports/runtime.ts'
import { quiet } from '../support/quiet.ts'
import { git } from '../support/repositories.ts'
import { makeWorkplace, missing, sh, title, type Workplace } from './workplace.ts'

// Not 127.0.0.1, which clients in a sandbox look for in the sandbox itself.
const address = '127.0.0.2'

const noClients = missing('curl', 'openssl')
const noNpm = missing('npm')
const noPip = missing('python3', 'pip')

describe.skipIf(noClients)(title('tools in a sandbox whose network is some hosts', noClients), () => {
  let place: Workplace
  let sandbox: Sandbox
  let web: Server
  let secure: Server
  let allowed: Network
  let origin: string
  let secureOrigin: string
  const answers = new Map<string, Buffer | string>()

  beforeAll(async () => {
    place = await makeWorkplace()
    web = createServer((asked, reply) => {
      const body = answers.get(asked.url ?? '')
      reply.writeHead(body === undefined ? 404 : 200, {
        'content-type': String(asked.url).startsWith('/simple') ? 'text/html' : 'application/json',
      })
      reply.end(body)
    })
    await once(web.listen(0, address), 'listening')
    origin = `${address}:${(web.address() as AddressInfo).port}`
    secure = createTls(await certificate(place.folder), (asked, reply) => {
      const [path = '', query] = (asked.url ?? '').split('?')
      // The dumb protocol is enough for a clone, and needs no program of git's.
      const file = join(place.repository, path.replace(/^\/repository\.git\//, ''))
      if (query !== undefined || !existsSync(file)) reply.writeHead(query === undefined ? 404 : 200)
      void readFile(file).then(
        (content) => reply.end(content),
        () => reply.end(),
      )
    })
    await once(secure.listen(0, address), 'listening')
    secureOrigin = `${address}:${(secure.address() as AddressInfo).port}`
    allowed = { kind: 'hosts', hosts: [origin, secureOrigin] }
    sandbox = await open([origin, secureOrigin])
  })

  afterAll(async () => {
    await sandbox.close()
    await place.close()
    web.close()
    secure.close()
  })

  /** A sandbox under an operator's setting. */
  function open(network: string[]): Promise<Sandbox> {
    const runtime = createLocalRuntime({
      home: place.home,
      path: process.env['PATH'] ?? '',
      userHome: process.env['HOME'] ?? '/',
      author: { name: 'Test', email: 'test@example.org' },
      network,
      log: quiet,
      clone: async (source, into) => {
        await git(into, ['clone', '--quiet', '--no-hardlinks', source.mirror, '.'])
      },
    })
    const source = {
      repo: place.repository,
      sha: '',
      branch: 'main',
      base: 'main',
      mirror: place.repository,
      work: null,
    }
    const limits = { memoryBytes: 1024 ** 3, processes: 256 }
    const spec = {
      taskId: `NET${opened++}`,
      attempt: 1,
      purpose: 'agent' as const,
      program: null,
      image: null,
      source,
      limits,
    }
    return runtime.open(spec, new AbortController().signal)
  }

  it('leaves a sandbox its own loopback, where no network is given', async () => {
    const inside = await sh(
      sandbox,
      'perl -MSocket -e \'socket(S, PF_INET, SOCK_STREAM, 0); bind(S, pack_sockaddr_in(0, inet_aton("127.0.0.1"))) or exit 1\'',
    )
    expect(inside.exitCode).toBe(0)
  })

  it('lets git clone over https', async () => {
    await git(place.repository, ['update-server-info'])
    await git(place.repository, ['repack', '-adq'])
    await git(place.repository, ['update-server-info'])
    const end = await sh(
      sandbox,
      `git clone -q https://${secureOrigin}/repository.git /tmp/copy && ls /tmp/copy`,
      {
        env: { GIT_SSL_NO_VERIFY: '1' },
        network: allowed,
      },
    )
    expect(end, end.stderrTail).toMatchObject({ exitCode: 0, stdoutTail: 'README.md\n' })
  })

  it.skipIf(noNpm)(title('lets npm install a package', noNpm), async () => {
    const tarball = await pack(join(place.folder, 'npm'), 'package', {
      'package/package.json': '{"name":"tiny","version":"1.0.0"}',
    })
    const url = `http://${origin}/tiny.tgz`
    answers.set('/tiny.tgz', tarball)
    answers.set(
      '/tiny',
      JSON.stringify({
        name: 'tiny',
        'dist-tags': { latest: '1.0.0' },
        versions: { '1.0.0': { name: 'tiny', version: '1.0.0', dist: { tarball: url } } },
      }),
    )
    const end = await sh(
      sandbox,
      `cd /tmp && npm install --registry http://${origin}/ tiny && cat node_modules/tiny/package.json`,
      {
        network: allowed,
      },
    )
    expect(end.stdoutTail, end.stderrTail).toContain('"name":"tiny"')
  })

  it.skipIf(noPip)(title('lets pip install a package', noPip), async () => {
    const name = 'tiny-1.0.tar.gz'
    const tarball = await pack(join(place.folder, 'pip'), 'tiny-1.0', {
      'tiny-1.0/PKG-INFO': 'Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n',
      'tiny-1.0/setup.py': 'from setuptools import setup; setup(name="tiny", version="1.0")',
    })
    answers.set('/simple/tiny/', `<a href="/files/${name}">${name}</a>`)
    answers.set(`/files/${name}`, tarball)
    const index = `--index-url http://${origin}/simple/ --trusted-host ${address}`
    const end = await sh(
      sandbox,
      `python3 -m pip download --no-deps --no-build-isolation ${index} -d /tmp/wheels tiny; ls /tmp/wheels`,
      {
        network: allowed,
      },
    )
    expect(end.stdoutTail, end.stderrTail).toContain(name)
  })

  it('is the machine’s own when it is full', async () => {
    answers.set('/hello', 'hello')
    const end = await sh(sandbox, curl(origin), { network: { kind: 'full' } })
    expect(end).toMatchObject({ exitCode: 0, stdoutTail: '200' })
  })
})

let opened = 0

function curl(url: string): string {
  return `curl -sS -o /dev/null -w '%{http_code}' --max-time 60 http://${url}/hello`
}

/** A tarball of these files, whose folder is `top`. */
async function pack(folder: string, top: string, files: Record<string, string>): Promise<Buffer> {
  await mkdir(join(folder, top), { recursive: true })
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  return execFileSync('tar', ['-czf', '-', '-C', folder, top])
}

async function certificate(folder: string): Promise<{ key: Buffer; cert: Buffer }> {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=test', '-addext', `subjectAltName=IP:${address}`]
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', key, '-out', cert, ...subject],
    {
      stdio: 'ignore',
    },
  )
  return { key: await readFile(key), cert: await readFile(cert) }
}
