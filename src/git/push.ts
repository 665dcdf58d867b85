import type { PushAnswer } from '../ports/publisher.ts'
import type { RunResult } from '../process/run.ts'
import { wordsOf, type Git } from './git-command.ts'
import { receivePackCommand } from './git-settings.ts'
import { isFull } from './mirror.ts'
import { remoteFailure } from './remote-fault.ts'

export interface Push {
  readonly repo: string
  readonly gitDir: string
  /** `null`: the branch is to be deleted. */
  readonly sha: string | null
  readonly branch: string
  /** Where the branch must stand; `null`: nowhere. */
  readonly expected: string | null
}

/** Pushes one commit to one branch, under a lease. Never throws for what the remote does. */
export async function push(git: Git, what: Push, timeoutMs: number): Promise<PushAnswer> {
  const ref = `refs/heads/${what.branch}`
  const ended = await git.connect(
    what.repo,
    what.gitDir,
    // oxfmt-ignore
    [
      'push', '--porcelain', '--no-verify', '--no-follow-tags', '--recurse-submodules=no', '--no-signed',
      `--force-with-lease=${ref}:${what.expected ?? ''}`, `--receive-pack=${receivePackCommand}`,
      '--', what.repo, `${what.sha ?? ''}:${ref}`,
    ],
    { timeoutMs },
  )
  return answerOf(ended, ref, what.repo)
}

// A porcelain line: flag, tab, from:to, tab, summary. Without one for our ref, nobody knows what became of it.
function answerOf(ended: RunResult, ref: string, repo: string): PushAnswer {
  const line = ended.stdout
    .toString('utf8')
    .split('\n')
    .map((text) => text.split('\t'))
    .find((fields) => fields[1]?.endsWith(`:${ref}`) === true)
  const flag = line?.[0]
  const summary = line?.[2] ?? ''
  if (flag === '!') return refusalOf(summary, ended)
  if (flag !== undefined && flag !== '' && ' +*=-'.includes(flag) && ended.exitCode === 0)
    return { kind: 'pushed' }
  const failure = remoteFailure(ended, repo)
  if (failure === null) return { kind: 'unknown', message: wordsOf(ended) }
  switch (failure.fault) {
    case 'credentials_refused':
    case 'repository_not_found':
      return { kind: 'refused', message: failure.message }
    case 'branch_not_found':
    case 'repository_empty':
    case 'host_unknown':
    case 'unreachable':
      return { kind: 'unknown', message: failure.message }
    default:
      return failure.fault satisfies never
  }
}

function refusalOf(summary: string, ended: RunResult): PushAnswer {
  // `[remote rejected] (why)` or `[rejected] (why)`, and what the other side's hooks and git had to say.
  const [, kind, why = ''] = /^\[([^\]]*)\](?: \((.*)\))?$/.exec(summary) ?? []
  const said = remoteWords(ended.stderr)
  const message = said === '' ? why : `${why}: ${said}`
  if (kind === 'rejected') return { kind: 'stale' }
  if (kind !== 'remote rejected') return { kind: 'unknown', message: message === '' ? summary : message }
  const all = `${why}\n${ended.stderr}`
  // Someone else is writing there, or the disk is full, at this moment: asking again tells.
  if (/\.lock'?: File exists/.test(all) || isFull(ended)) return { kind: 'unknown', message }
  if (/exists; cannot create|Permission denied|Read-only file system/.test(all))
    return { kind: 'refused', message }
  // Another push came first: the remote compares once more while it holds the branch.
  const raced = /but expected|reference already exists|incorrect old value|unable to resolve reference/
  if (raced.test(all) || /^(?:failed to update ref|fetch first|non-fast-forward|stale info)$/.test(why)) {
    return { kind: 'stale' }
  }
  return { kind: 'refused', message }
}

function remoteWords(stderr: string): string {
  const lines = stderr
    .split(/[\r\n]+/)
    .map((line) => /^(?:remote:|error: remote unpack failed:)(.*)$/.exec(line)?.[1]?.trim() ?? '')
    .filter((line) => line !== '')
  return lines.join('; ').slice(0, 2000)
}
