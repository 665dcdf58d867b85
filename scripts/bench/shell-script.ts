import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../src/process/run.ts'
import { gitTestEnvironment } from '../../test/support/repositories.ts'

const script = `
set -eu
number=$1
git clone --quiet "$REMOTE" "$WORK/$number"
cd "$WORK/$number"
git checkout --quiet -b "script/$number"
sh -c "$COMMAND"
git add --all
git -c user.name=Script -c user.email=script@example.org commit --quiet --message "Work $number"
git push --quiet origin "script/$number"
`

/** What people write without Nightshift: full clone, command, commit, push, so many at once. Answers wall seconds. */
export async function timeShellScript(
  remote: string,
  tasks: number,
  slots: number,
  command: string,
): Promise<number> {
  const work = await mkdtemp(join(tmpdir(), 'nightshift-bench-script-'))
  const started = performance.now()
  const ended = await run(
    ['sh', '-c', `seq ${tasks} | xargs -P ${slots} -I{} sh -c '${script.replaceAll("'", `'\\''`)}' task {}`],
    { env: { ...gitTestEnvironment, REMOTE: remote, WORK: work, COMMAND: command }, timeoutMs: 600_000 },
  )
  const seconds = (performance.now() - started) / 1000
  await rm(work, { recursive: true, force: true })
  if (ended.exitCode !== 0) throw new Error(`the script failed: ${ended.stderr}`)
  return seconds
}
