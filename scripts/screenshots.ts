import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser } from 'playwright-core'
import { run } from '../src/process/run.ts'
import { chromiumPath, chromiumArguments } from '../test/support/chromium.ts'
import { commitTo } from '../test/support/repositories.ts'
import { startBenchServer, type BenchServer } from './bench/server.ts'

// The pictures of the README, from a real night: tasks of several kinds on a copy of this very checkout, in sandboxes,
// with the outcomes that they come to.

const checkout = fileURLToPath(new URL('..', import.meta.url))
const folderOfPictures = join(checkout, 'docs', 'pictures')

const rules = `setup: "true"
checks:
  - name: markdown
    run: 'awk ''length > 400 { print FILENAME ":" FNR ": longer than 400"; bad = 1 } END { exit bad }'' {files}'
    files: ["*.md"]
  - name: shell
    run: sh -n scripts/demo-agent.sh
policy:
  tests: keep
  maxFiles: 20
fixRounds: 1
`

const good = 'sh scripts/demo-agent.sh'
const talkative = `for n in $(seq 1 40); do
  printf '\\033[32m✓\\033[0m read \\033[1msrc/core/%s\\033[0m\\n' "$(ls src/core | sed -n "$((n % 15 + 1))p")"
  [ $((n % 9)) = 0 ] && printf '\\033[33m  thinking about what to change\\033[0m\\n'
  sleep 0.5
done; sleep 60`

const night = [
  { prompt: 'Count the lines of the rooms, in ROOMS.md', command: good },
  { prompt: 'List what the tests promise, in PROMISES.md', command: good },
  { prompt: 'Write down the history, in HISTORY.md', command: good },
  {
    prompt: 'Make the suite faster: the access tests take too long',
    command: 'echo "The quickest test is none."; git rm --quiet test/api/access.test.ts',
  },
  {
    prompt: 'Let the demo agent greet whoever runs it',
    command: "echo 'if then echo hello' >> scripts/demo-agent.sh; echo 'Added a greeting.'",
  },
  { prompt: 'Fix the spelling of “sandbox” in the README', command: 'echo "Nothing is misspelt."' },
  { prompt: 'Explain the scheduler in one paragraph', command: 'echo "I have no idea" >&2; exit 1' },
]

async function git(...args: string[]): Promise<void> {
  const ended = await run(['git', '-c', 'safe.directory=*', ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', LC_ALL: 'C' },
    timeoutMs: 120_000,
  })
  if (ended.exitCode !== 0) throw new Error(`git ${args.join(' ')}: ${ended.stderr}`)
}

const plan = `# The night of the rooms

## Batch 1: Find out

### Task 1.1: Count the lines of the rooms, in ROOMS.md

### Task 1.2: List what the tests promise, in PROMISES.md

### Task 1.3: Write down the history, in HISTORY.md

## Batch 2: Tell

### Task 2.1: Explain the scheduler in one paragraph
\`\`\`yaml
needs: ["1.1"]
\`\`\`

### Task 2.2: Add the promises to the rooms
\`\`\`yaml
needs: ["1.1", "1.2"]
command: "sleep 90"
\`\`\`

## Batch 3: Finish

### Task 3.1: Write the summary of the night
\`\`\`yaml
needs: ["2.2"]
command: "date > SUMMARY.md"
\`\`\`
`

interface Shot {
  readonly name: string
  readonly path: string
  readonly dark?: boolean
  readonly phone?: boolean
  readonly whole?: boolean
}

async function take(browser: Browser, url: string, shot: Shot): Promise<void> {
  const page = await browser.newPage({
    viewport: shot.phone === true ? { width: 390, height: 844 } : { width: 1200, height: 800 },
    colorScheme: shot.dark === true ? 'dark' : 'light',
    locale: 'en-GB',
    timezoneId: 'UTC',
  })
  await page.goto(url + shot.path)
  await page.waitForTimeout(500)
  const path = join(folderOfPictures, `${shot.name}.png`)
  await page.screenshot({ path, fullPage: shot.whole === true })
  await page.close()
  process.stdout.write(`${path}\n`)
}

async function untilDone(server: BenchServer, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    while ((await server.get<{ state: string }>(`/tasks/${id}`)).state !== 'done') {
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nightshift-pictures-'))
  const path = await chromiumPath()
  if (path === null) throw new Error('there is no Chromium here: apt-get install chromium')
  await mkdir(folderOfPictures, { recursive: true })
  const repo = join(folder, 'team', 'nightshift.git')
  await git('clone', '--quiet', '--bare', checkout, repo)
  await commitTo(repo, 'main', { '.nightshift.yaml': rules }, { message: 'Rules for the night' })
  const server = await startBenchServer(folder, 4)
  const browser = await chromium.launch({ executablePath: path, args: chromiumArguments })
  try {
    const tasks = []
    for (const task of night) tasks.push(await server.submit({ repo, base: 'main', ...task }))
    await untilDone(
      server,
      tasks.map((task) => task.id),
    )
    const live = await server.submit({
      repo,
      base: 'main',
      prompt: 'Split the scheduler into smaller parts',
      command: talkative,
    })
    await server.submit({
      repo,
      base: 'main',
      prompt: 'Then write down what was split',
      command: good,
      needs: [live.id],
    })
    const started = await server.start({ plan, repo, base: 'main', command: good })
    await new Promise((resolve) => setTimeout(resolve, 20_000))
    const [, , history, rejected] = tasks
    for (const dark of [false, true]) {
      const suffix = dark ? '-dark' : ''
      await take(browser, server.url, { name: `overview${suffix}`, path: '/', dark })
      await take(browser, server.url, { name: `task${suffix}`, path: `/tasks/${history?.id}`, dark })
      await take(browser, server.url, { name: `run${suffix}`, path: `/runs/${started.id}`, dark })
    }
    await take(browser, server.url, { name: 'phone', path: `/tasks/${rejected?.id}`, phone: true })
    await take(browser, server.url, { name: 'live', path: `/tasks/${live.id}`, dark: true })
  } finally {
    await browser.close()
    await server.close()
    await rm(folder, { recursive: true, force: true })
  }
}

await main()
