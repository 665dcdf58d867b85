import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../src/dagger/engine.ts'
import { ask, GraphqlError } from '../../src/dagger/graphql.ts'
import { Hub } from '../../src/dagger/hub.ts'
import { engineOf, image, makePlace, noEngine, type DaggerPlace } from './engine.ts'

const title = noEngine === null ? 'a program' : `a program (skipped: ${noEngine})`
const program = { package: '@team/probe-cli', version: '1.2.3', bin: 'nightshift-probe' }
const path = `/usr/local/bin/${program.bin}`
/** Stands in for npm, for no package source has to be reached. */
const npm = `#!/bin/sh
printf '#!/bin/sh\\necho "%s"\\n' "$*" >${path} && chmod +x ${path}`

describe.skipIf(noEngine !== null)(title, { timeout: 120_000 }, () => {
  let hub: Hub
  let engine: Engine
  let place: DaggerPlace

  beforeAll(async () => {
    hub = await Hub.open('a-token')
    engine = engineOf({ socketPath: hub.path, token: 'a-token' })
    place = await makePlace({})
  }, 60_000)

  afterAll(async () => {
    await place.close()
    await engine.close()
    await hub.close()
  })

  /** What the program prints in a layer over the image and these executable files. */
  async function printed(files: Readonly<Record<string, string>>, searched = '/usr/local/bin:/usr/bin:/bin') {
    const { session, workbench } = await engine.open()
    const say = async (query: string) =>
      JSON.stringify(await ask(session, query, AbortSignal.timeout(60_000)))
    const made = Object.entries(files).map(
      ([file, contents]) =>
        `withNewFile(path:${JSON.stringify(file)},contents:${JSON.stringify(contents)},permissions:493){`,
    )
    const from = `{container{from(address:${JSON.stringify(image)}){withEnvVariable(name:"PATH",value:"${searched}"){`
    const id = /"id":"([^"]+)"/.exec(
      await say(`${from}${made.join('')}id${'}'.repeat(made.length + 4)}`),
    )?.[1]
    const { rootfs, program: found } = await workbench.install(id ?? '', program)
    const run = `withRootfs(directory:${JSON.stringify(rootfs.id)}){withExec(args:["${path}"]){stdout}}`
    return { found, said: /"stdout":"([^"]*)/.exec(await say(`{container{${run}}}`))?.[1] }
  }

  it('that an image lacks is installed into a layer over it, in the version that was tried', async () => {
    expect(await printed({ '/usr/local/bin/npm': npm })).toEqual({
      found: { path, version: '1.2.3' },
      said: 'install --global --no-audit --no-fund @team/probe-cli@1.2.3\\n',
    })
  })

  it('that the image brings stays as it is', async () => {
    const own = '#!/bin/sh\necho "probe 9.8.7 of the image"\n'
    expect(await printed({ '/usr/local/bin/npm': npm, [path]: own })).toEqual({
      found: { path, version: '9.8.7' },
      said: 'probe 9.8.7 of the image\\n',
    })
  })

  it('without an installer, or with one that fails or brings nothing, is told', async () => {
    const exitCode = async (asked: Promise<unknown>) => {
      const error: unknown = await asked.catch((caught: unknown) => caught)
      return error instanceof GraphqlError ? error.exec?.exitCode : error
    }
    expect(await exitCode(printed({}, '/nowhere'))).toBe(127)
    expect(await exitCode(printed({ '/usr/local/bin/npm': '#!/bin/sh\nexit 3\n' }))).toBe(3)
    expect(await exitCode(printed({ '/usr/local/bin/npm': '#!/bin/sh\n' }))).toBe(1)
  })

  it('that no package source has keeps a sandbox from being opened; one that is there does not', async () => {
    const absent = { ...program, package: 'nightshift-no-such-package' }
    await expect(place.open({ program: absent })).rejects.toThrow(/nightshift-no-such-package/)
    const sandbox = await place.open({ program: { ...absent, bin: 'git' } })
    expect(sandbox.program).toMatchObject({
      path: expect.stringMatching(/^\/.*\/git$/),
      version: expect.any(String),
    })
    await sandbox.close()
  })
})
