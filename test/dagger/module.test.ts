import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Task } from '../../src/model/task.ts'
import { run } from '../../src/process/run.ts'
import { startGitServer, type GitServer } from '../support/git-server.ts'
import { branchSha, listBranches, makeRepository, removeFolder, showFile } from '../support/repositories.ts'
import { cliEnvironment, daggerCli, engineHost, image, noEngine } from './engine.ts'

const checkout = fileURLToPath(new URL('../..', import.meta.url))
const password = 'not-to-be-seen-0123456789'
const title = noEngine === null ? 'the module' : `the module (skipped: ${noEngine})`

/** The dagger CLI, in this checkout. */
async function dagger(...args: readonly string[]) {
  const env = {
    ...cliEnvironment,
    ...(engineHost === null ? {} : { _EXPERIMENTAL_DAGGER_RUNNER_HOST: engineHost }),
  }
  const argv = [daggerCli, '--progress=plain', ...args]
  const { exitCode, stdout, stderr } = await run(argv, { cwd: checkout, env, timeoutMs: 900_000 })
  return { exitCode, stdout: stdout.toString(), stderr }
}

describe.skipIf(noEngine !== null)(title, { timeout: 1_000_000 }, () => {
  let folder: string
  let server: GitServer
  let repository: string
  let target: readonly string[]

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nightshift-module-'))
    repository = (await makeRepository(join(folder, 'one.git'))).path
    server = await startGitServer({ root: folder, auth: { user: 'me', password } })
    const credentials = join(folder, 'credentials')
    await writeFile(credentials, `http://me:${password}@127.0.0.1:${server.port}\n`)
    target = [
      `--repo=${server.url}/one.git`,
      `--repo-service=tcp://127.0.0.1:${server.port}`,
      `--git-credentials=file:${credentials}`,
      `--image=${image}`,
    ]
  })

  afterAll(async () => {
    await server.close()
    await removeFolder(folder)
  })

  it('has its functions, each with its words', async () => {
    const { exitCode, stdout, stderr } = await dagger('functions')
    expect(exitCode, stderr).toBe(0)
    for (const line of [
      /^check +Checks this/m,
      /^image +The container image/m,
      /^plan +Carries out/m,
      /^task +Does/m,
    ])
      expect(stdout).toMatch(line)
  })

  it('does the same task twice, whatever its prompt begins with, and prints what the remote has', async () => {
    const command = 'printf "%s" "$NIGHTSHIFT_PROMPT" > out.txt'
    const call = ['call', 'task', ...target, '--prompt=--fix it', `--command=${command}`]
    const ids: string[] = []
    for (const end of [await dagger(...call), await dagger(...call)]) {
      expect(end.exitCode, end.stderr).toBe(0)
      const { tasks } = JSON.parse(end.stdout) as { tasks: readonly Task[] }
      expect(tasks).toMatchObject([{ outcome: 'pushed', runtime: 'dagger', prompt: '--fix it' }])
      const { id = '', branch = '', evidence = null } = tasks[0] ?? {}
      expect(await branchSha(repository, branch)).toBe(evidence?.headSha)
      expect(await showFile(repository, branch, 'out.txt')).toBe('--fix it')
      expect(end.stdout + end.stderr).not.toContain(password)
      ids.push(id)
    }
    expect(new Set(ids).size).toBe(2)
  })

  it('fails with the evidence where the outcome is bad, and with what is wrong where nothing can be done', async () => {
    const before = await listBranches(repository)
    const bad = await dagger('call', 'task', ...target, '--prompt=Work', '--command=exit 3')
    expect(bad.exitCode).not.toBe(0)
    expect(bad.stderr).toMatch(
      /"outcome":"agent_failed","reason":"The agent failed: the command exited with code 3\."/,
    )
    const without = target.filter((argument) => !argument.startsWith('--repo='))
    const nowhere = await dagger(
      'call',
      'task',
      ...without,
      '--repo=nowhere',
      '--prompt=Work',
      '--command=true',
    )
    expect(nowhere.exitCode).not.toBe(0)
    expect(nowhere.stderr).toContain('repo: nowhere is no URL')
    expect(await listBranches(repository)).toEqual(before)
  })

  it('carries out a plan, and is an image of the service', async () => {
    const plan = join(folder, 'plan.md')
    const second = '### Task 2: Second\n```yaml\nneeds: ["1"]\n```\nMore.\n'
    await writeFile(plan, `# Plan\n## Batch 1: One\n### Task 1: First\nWork.\n## Batch 2: Two\n${second}`)
    const end = await dagger('call', 'plan', ...target, `--file=${plan}`, '--command=echo 1 >> out.txt')
    expect(end.exitCode, end.stderr).toBe(0)
    const { tasks } = JSON.parse(end.stdout) as { tasks: readonly Task[] }
    expect(tasks.map(({ planTask, outcome }) => [planTask, outcome])).toEqual([
      ['1', 'pushed'],
      ['2', 'pushed'],
    ])
    expect(tasks[1]?.evidence?.baseSha).toBe(tasks[0]?.evidence?.headSha)
    const version = await dagger(
      'call',
      'image',
      'with-exec',
      '--args=--version',
      '--use-entrypoint',
      'stdout',
    )
    expect(version.stdout, version.stderr).toMatch(/^\d+\.\d+\.\d+/)
  })
})
