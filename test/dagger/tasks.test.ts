import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Task } from '../../src/model/task.ts'
import type { RunBatches } from '../../src/model/run.ts'
import { forgePlace } from '../end-to-end/forge-place.ts'
import { until } from '../support/nightshift.ts'
import { branchSha, listBranches, makeRepository, showFile, type Files } from '../support/repositories.ts'
import { outputOf } from '../support/worker.ts'
import { cliEnvironment, daggerCli, engineHost, image, noEngine } from './engine.ts'

const title = noEngine === null ? 'in containers' : `in containers (skipped: ${noEngine})`
const environment = {
  ...cliEnvironment,
  ...(engineHost === null ? {} : { _EXPERIMENTAL_DAGGER_RUNNER_HOST: engineHost }),
  _EXPERIMENTAL_DAGGER_CLI_BIN: daggerCli,
  NIGHTSHIFT_IMAGE: image,
}

const setup = `setup:
  run: echo "set-up runs"; mkdir -p deps; date +%N >deps/stamp; cp deps/stamp ~/stamp
  inputs: [lock]
checks:
  - { name: there, run: cmp deps/stamp ~/stamp }
`
/** Commits by itself; what the check wants comes as an amended commit. */
const amends = `git config user.name Agent; git config user.email agent@example.org
if [ "$NIGHTSHIFT_ROUND" = 0 ]; then echo half >one.txt; git add .; git commit -qm 'Half of it'
else echo whole >one.txt; git commit -qam 'All of it' --amend; fi`
const writes = (name: string) => `date +%N >${name}`
const asksForMore = `grep -q tested one.txt && echo '{"verdict": "approve", "findings": []}' && exit
touch x 2>/dev/null && echo writable >&2
echo '{"verdict": "request_changes", "findings": [{"file": "one.txt", "line": 1, "severity": "blocking", "message": "add tested"}]}'`

describe.skipIf(noEngine !== null)(title, { timeout: 300_000 }, () => {
  const here = forgePlace(environment)
  let made = 0

  async function remoteOf(files: Files = {}): Promise<string> {
    made += 1
    const path = join(here.place.folder, `remote-${made}.git`)
    return (await makeRepository(path, { files: { 'README.md': '# A\n', ...files } })).path
  }

  async function done(repo: string, more: Record<string, unknown>): Promise<Task> {
    const asked = { repo, prompt: 'Work', runtime: 'dagger', ...more }
    const task = await here.server.untilDone((await here.server.submit(asked)).id, 240_000)
    expect(task.runtime).toBe('dagger')
    // Whatever was told: the remote has it, or has nothing.
    expect(await branchSha(repo, task.branch)).toBe(task.outcome === 'pushed' ? task.evidence?.headSha : null)
    return task
  }

  it('the same work a second time is work done again, never an answer of the engine’s cache', async () => {
    const repo = await remoteOf()
    const same = { command: writes('stamp') }
    const tasks = [await done(repo, same), await done(repo, same)]
    expect(tasks).toMatchObject([{ outcome: 'pushed' }, { outcome: 'pushed' }])
    const stamps = await Promise.all(tasks.map(({ branch }) => showFile(repo, branch, 'stamp')))
    expect(new Set(stamps).size).toBe(2)
    expect(await listBranches(repo)).toHaveLength(3)
  })

  it('a set-up with inputs runs once, and what an agent leaves is not kept', async () => {
    const repo = await remoteOf({
      '.nightshift.yaml': setup,
      lock: `${process.pid} ${Date.now()}\n`,
      '.gitignore': 'deps\n',
    })
    const ran = async (command: string) => {
      const task = await done(repo, { command: `${command}; cat deps/stamp >seen` })
      expect(task, task.reason ?? '').toMatchObject({ outcome: 'pushed' })
      const output = await outputOf(here.database, task.id)
      return {
        times: output.split('set-up runs\n').length - 1,
        seen: await showFile(repo, task.branch, 'seen'),
      }
    }
    const first = await ran('true')
    expect(first.times).toBe(1)
    expect(await ran('echo evil >deps/stamp; echo evil >~/stamp')).toEqual({ times: 0, seen: 'evil\n' })
    expect(await ran('true')).toEqual({ times: 0, seen: first.seen })
  })

  it('an agent that commits by itself, and amends it once a check has failed', async () => {
    const rules = 'checks:\n  - { name: whole, run: grep -q whole one.txt }\nfixRounds: 1\n'
    const repo = await remoteOf({ '.nightshift.yaml': rules })
    const task = await done(repo, { command: amends })
    expect(task, task.reason ?? '').toMatchObject({
      outcome: 'pushed',
      evidence: { commits: 1, files: ['one.txt'], checks: [{ name: 'whole', exitCode: 0 }] },
    })
    expect(await showFile(repo, task.branch, 'one.txt')).toBe('whole\n')
  })

  it('candidates side by side, of which one is kept', async () => {
    const repo = await remoteOf()
    const task = await done(repo, {
      command: 'seq "$NIGHTSHIFT_CANDIDATE" >out',
      candidates: 3,
      keep: 'smallest',
    })
    expect(task, task.reason ?? '').toMatchObject({
      outcome: 'pushed',
      evidence: { insertions: 1, candidate: { number: 1, of: 3 } },
    })
    expect(await listBranches(repo)).toEqual(['main', task.branch])
  })

  it('a task that starts from all that its needs made', async () => {
    const repo = await remoteOf()
    const task = (id: string, needs: string, command: string) =>
      `### Task ${id}: Task ${id}\n\`\`\`yaml\ncommand: ${JSON.stringify(command)}\n${needs}\`\`\`\n`
    const plan = `## Batch 1: Both\n\n${task('1.1', '', 'echo a >a')}\n${task('1.2', '', 'echo b >b')}
## Batch 2: Together\n\n${task('2.1', 'needs: ["1.1", "1.2"]\n', 'cat a b >both')}`
    const asked = await here.server.request('POST', '/api/v1/runs', { repo, plan, runtime: 'dagger' })
    const { id } = (await asked.json()) as { id: string }
    const run = await until(
      async () => {
        const shown = await here.server.request('GET', `/api/v1/runs/${id}/batches`)
        const found = (await shown.json()) as RunBatches
        return found.state === 'done' ? found : null
      },
      'the run',
      240_000,
    )
    const tasks = run.batches.flatMap((batch) => batch.tasks)
    expect(tasks.map(({ outcome, runtime }) => `${outcome} on ${runtime}`)).toEqual(
      Array(3).fill('pushed on dagger'),
    )
    expect(await showFile(repo, tasks[2]?.branch ?? '', 'both')).toBe('a\nb\n')
  })

  it('a pull request that a reviewer sends back, is mended, and is merged', async () => {
    const repository = await here.repository()
    const task = await here.done(repository, {
      runtime: 'dagger',
      command:
        'echo "the agent runs"; case "$NIGHTSHIFT_PROMPT" in *"add tested"*) echo tested >>one.txt;; *) echo 1 >one.txt;; esac',
      merge: 'review',
      reviewCommand: asksForMore,
    })
    expect(task, task.reason ?? '').toMatchObject({
      outcome: 'merged',
      runtime: 'dagger',
      evidence: { pullRequest: { reviews: 2 } },
    })
    expect(await showFile(repository.path, 'main', 'one.txt')).toBe('1\ntested\n')
    expect(await outputOf(here.database, task.id)).not.toContain('writable')
  })
})
