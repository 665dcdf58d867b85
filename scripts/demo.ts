import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Task } from '../src/model/task.ts'
import { run } from '../src/process/run.ts'

// The main job on real input: three tasks side by side on this very checkout, pushed to a temporary bare copy of it.
// Prints what was done, and asks git, not Nightshift, whether it is true.

const checkout = fileURLToPath(new URL('..', import.meta.url))
const prompts = [
  'Count the lines of the rooms, in ROOMS.md',
  'List what the tests promise, in PROMISES.md',
  'Write down the history, in HISTORY.md',
]

async function git(...args: string[]): Promise<string> {
  const ended = await run(['git', '-c', 'safe.directory=*', ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', LC_ALL: 'C' },
    timeoutMs: 120_000,
  })
  if (ended.exitCode !== 0) throw new Error(`git ${args.join(' ')}: ${ended.stderr}`)
  return ended.stdout.toString('utf8').trim()
}

async function nightshift(
  folder: string,
  remote: string,
): Promise<{ exitCode: number | null; tasks: Task[] }> {
  const args = [
    'run',
    ...prompts,
    '--repo',
    remote,
    '--command',
    'sh scripts/demo-agent.sh',
    '--parallel',
    '3',
    '--json',
  ]
  const child = spawn(process.execPath, [join(checkout, 'bin', 'nightshift.js'), ...args], {
    cwd: checkout,
    env: { ...process.env, NIGHTSHIFT_HOME: join(folder, 'home') },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  const [exitCode] = (await once(child, 'close')) as [number | null]
  if (!stdout.includes('"tasks"'))
    throw new Error(`nightshift run ended with exit code ${exitCode}: ${stdout}`)
  return { exitCode, tasks: (JSON.parse(stdout) as { tasks: Task[] }).tasks }
}

function print(line = ''): void {
  process.stdout.write(`${line}\n`)
}

async function show(task: Task, remote: string): Promise<boolean> {
  const { evidence } = task
  const stands = await git(
    '-C',
    remote,
    'rev-parse',
    '--verify',
    '--quiet',
    `refs/heads/${task.branch}`,
  ).catch(() => 'absent')
  const holds = task.outcome === 'pushed' && stands === evidence?.headSha
  print()
  print(`  ${task.prompt}`)
  print(`    outcome     ${task.outcome}${task.reason === null ? '' : `: ${task.reason}`}`)
  print(`    branch      ${task.branch}`)
  print(`    base        ${evidence?.baseSha}`)
  print(`    head        ${evidence?.headSha}, confirmed by the remote at ${evidence?.confirmedAt}`)
  print(`    changed     ${evidence?.files.join(', ')} (+${evidence?.insertions} -${evidence?.deletions})`)
  print(`    policy      ${evidence?.policy?.passed === true ? 'passed' : 'not passed'}`)
  print(`    git says    ${stands} ${holds ? '(the same)' : '(NOT the same)'}`)
  return holds
}

async function demo(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nightshift-demo-'))
  try {
    const before = await git('-C', checkout, 'status', '--porcelain=v2', '--branch')
    const remote = join(folder, 'remote.git')
    await git('clone', '--quiet', '--bare', checkout, remote)
    print(`Three tasks side by side on ${checkout}`)
    print(`cloned fresh from it, each in its own sandbox, pushed to ${remote}`)
    print()
    const { exitCode, tasks } = await nightshift(folder, remote)
    const held: boolean[] = []
    for (const task of tasks) held.push(await show(task, remote))
    const untouched = (await git('-C', checkout, 'status', '--porcelain=v2', '--branch')) === before
    print()
    print(
      `${held.filter(Boolean).length} of ${prompts.length} branches are on the remote as the evidence says.`,
    )
    print(`Your checkout is ${untouched ? 'as it was' : 'CHANGED'}. The temporary copy is removed again.`)
    if (exitCode !== 0 || held.length !== prompts.length || held.includes(false) || !untouched)
      process.exitCode = 1
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

await demo()
