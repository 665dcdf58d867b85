import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { judgeWork } from '../../src/core/steps/policy.ts'
import { localPlace } from '../../src/git/git-place.ts'
import { createPublisher } from '../../src/git/publisher.ts'
import { parseRepositoryFile } from '../../src/model/repository-file/parse.ts'
import { effectivePolicy } from '../../src/model/repository-file/effective-policy.ts'
import { run } from '../../src/process/run.ts'
import { createSpawner } from '../../src/process/spawner.ts'
import { createSecretScanner } from '../../src/secretlint/secret-scanner.ts'
import { commitTo, git, makeRepository, type Files } from '../../test/support/repositories.ts'

import type { Row } from './dashboard.ts'

/** Every rule is on, and reads what it can. */
const rules = `
checks:
  - name: test
    run: npm test
policy:
  allow: ["src/**", "test/**", "docs/**"]
  deny: ["src/secret/**", "**/*.lock"]
  maxFiles: 100000
  maxLines: 10000000
  maxFileBytes: 1000000
  tests: keep
  binary: deny
  executable: deny
  mergeCommits: deny
  content:
    - files: "docs/**/*.md"
      frontMatter: { title: string, updated: "YYYY-MM-DD HH:MM" }
    - files: "src/**/*.ts"
      forbidden: "console\\\\.log"
`

const log = { info: () => {}, warn: () => {}, error: () => {} }

/** Milliseconds that the gate itself takes for a diff of so many files: taking the work over, and judging it. */
async function measure(count: number): Promise<{ handOver: number; policy: number }> {
  const root = await mkdtemp(join(tmpdir(), 'nightshift-bench-gate-'))
  // As in a server: programs are not started by the large process.
  const spawner = createSpawner()
  try {
    const base = filesOf(count, 1)
    const made = await makeRepository(join(root, 'one.git'), { files: base })
    const head = await commitTo(made.path, 'work', filesOf(count, 2))
    const publisher = await createPublisher({
      place: localPlace(join(root, 'home'), spawner.run),
      path: '/usr/local/bin:/usr/bin:/bin',
      passThrough: {},
      credentialsFor: async () => null,
      log,
    })
    await publisher.mirror(made.path, made.sha, made.branch)
    const bundle = await bundleOf(made.path, head, made.sha)
    const parsed = parseRepositoryFile(rules)
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults))
    const scan = createSecretScanner()
    await scan('warm.ts', 'up')
    const commit = { message: 'x', authorName: 'A', authorEmail: 'a@example.org' }
    const startedMs = performance.now()
    const work = await publisher.receive({
      taskId: 'T1',
      attempt: 1,
      repo: made.path,
      baseSha: made.sha,
      bundle,
      commit,
    })
    const receivedMs = performance.now()
    const violations = await judgeWork(scan, effectivePolicy(parsed.file, null), work)
    const judgedMs = performance.now()
    if (violations.length > 0) throw new Error(violations[0]?.message)
    return { handOver: receivedMs - startedMs, policy: judgedMs - receivedMs }
  } finally {
    await spawner.close()
    await rm(root, { recursive: true, force: true })
  }
}

async function bundleOf(path: string, head: string, base: string): Promise<Buffer> {
  await git(path, ['update-ref', '--no-deref', 'HEAD', head])
  const ended = await run(['git', 'bundle', 'create', '--quiet', '-', 'HEAD', `^${base}`], {
    cwd: path,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    timeoutMs: 120_000,
    maxStdoutBytes: 1024 * 1024 * 1024,
  })
  return ended.stdout
}

/** A third each of code, tests and pages. */
function filesOf(count: number, version: number): Files {
  const files: Record<string, string> = {}
  for (let number = 0; number < count; number += 1) {
    const folder = `part-${number % 50}`
    const lines = Array.from({ length: 20 }, (_, line) => `const value${line} = ${line} * ${version}`).join(
      '\n',
    )
    if (number % 3 === 0) files[`src/${folder}/${number}.ts`] = `${lines}\n`
    else if (number % 3 === 1)
      files[`test/${folder}/${number}.test.ts`] =
        `it('works ${number}', () => {\n${lines}\n  expect(value1).toBe(${version})\n})\n`
    else
      files[`docs/${folder}/${number}.md`] =
        `---\ntitle: Page\nupdated: 2024-01-0${version} 10:00\n---\n${lines}\n`
  }
  return files
}

/** Rows of the bench's table. */
export async function gate(): Promise<Row[]> {
  const small = await measure(500)
  const large = await measure(10_000)
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`
  return [
    {
      what: 'the gate itself, 500 files changed, every rule on',
      measured: seconds(small.handOver + small.policy),
      beside: `hand-over ${seconds(small.handOver)}`,
      goal: '< 1 s',
    },
    {
      what: 'policy, 10,000 files changed, every rule on',
      measured: seconds(large.policy),
      beside: `hand-over ${seconds(large.handOver)}`,
      goal: '< 5 s',
    },
  ]
}
