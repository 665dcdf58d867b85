import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/model/outcome.ts'
import type { Task } from '../../src/model/task.ts'
import { servedPlace } from '../support/served-place.ts'
import { branchSha, git, listBranches, makeRepository, showFile } from '../support/repositories.ts'

interface Leaving {
  readonly what: string
  readonly command: string
  readonly outcome: Outcome
  /** Files and contents that the branch must have. */
  readonly files?: Readonly<Record<string, string>>
  /** Paths of the evidence. */
  readonly changed?: readonly string[]
  readonly commits?: number
  readonly reason?: RegExp
}

const identity = 'git config user.name Agent; git config user.email agent@example.org;'

const leavings: Leaving[] = [
  {
    what: 'a dirty tree: new, changed, deleted and ignored files',
    command: 'echo new > new.txt; echo more >> README.md; rm old.txt; echo x > build.log',
    outcome: 'pushed',
    files: { 'new.txt': 'new\n', 'README.md': '# A\nmore\n' },
    changed: ['README.md', 'new.txt', 'old.txt'],
    commits: 1,
  },
  {
    what: 'everything committed by itself',
    command: `${identity} echo 1 > one.txt; git add -A; git commit -qm one; echo 2 > two.txt; git add -A; git commit -qm two`,
    outcome: 'pushed',
    files: { 'one.txt': '1\n', 'two.txt': '2\n' },
    commits: 2,
  },
  {
    what: 'a folder where the list of its changes is written: not told as no work',
    command: 'mkdir -p /out/work.bundle.staged; echo 1 > one.txt',
    outcome: 'agent_failed',
    reason: /changes could not be listed/,
  },
  {
    what: 'half of it committed',
    command: 'echo 1 > one.txt; git add -A; git commit -qm one; echo 2 > two.txt',
    outcome: 'pushed',
    files: { 'one.txt': '1\n', 'two.txt': '2\n' },
    commits: 2,
  },
  {
    what: 'commits on another branch, which is checked out',
    command: 'git checkout -qb feature; echo 1 > one.txt; git add -A; git commit -qm one',
    outcome: 'pushed',
    files: { 'one.txt': '1\n' },
    commits: 1,
  },
  {
    what: 'commits on another branch, having gone back',
    command: 'git checkout -qb feature; echo 1 > one.txt; git add -A; git commit -qm one; git checkout -q -',
    outcome: 'pushed',
    files: { 'one.txt': '1\n' },
    commits: 1,
  },
  {
    what: 'a detached HEAD',
    command: 'git checkout -q --detach; echo 1 > one.txt; git add -A; git commit -qm one',
    outcome: 'pushed',
    files: { 'one.txt': '1\n' },
  },
  {
    what: 'an amended commit of the base',
    command: 'echo 1 > one.txt; git add -A; git commit -q --amend -m "mine now"',
    outcome: 'pushed',
    files: { 'one.txt': '1\n', 'old.txt': 'old\n' },
    commits: 1,
  },
  {
    what: 'a merge',
    command:
      'git checkout -qb side; echo 1 > one.txt; git add -A; git commit -qm one; git checkout -q -; ' +
      'echo 2 > two.txt; git add -A; git commit -qm two; git merge -q --no-edit side',
    outcome: 'pushed',
    files: { 'one.txt': '1\n', 'two.txt': '2\n' },
    commits: 3,
  },
  {
    what: 'a history that begins anew',
    command: 'git checkout -q --orphan fresh; echo 1 > one.txt; git add -A; git commit -qm fresh',
    outcome: 'pushed',
    files: { 'one.txt': '1\n', 'old.txt': 'old\n' },
    changed: ['one.txt'],
    commits: 1,
  },
  { what: 'nothing', command: 'true', outcome: 'no_changes' },
  { what: 'only an empty commit', command: 'git commit -q --allow-empty -m nothing', outcome: 'no_changes' },
  {
    what: 'a change that it takes back',
    command: 'echo 1 > one.txt; git add -A; git commit -qm one; git revert --no-edit HEAD',
    outcome: 'no_changes',
  },
  { what: 'a file as the base has it already', command: 'echo old > old.txt', outcome: 'no_changes' },
  { what: 'only ignored files', command: 'echo x > build.log', outcome: 'no_changes' },
  { what: 'a bad exit code', command: 'echo 1 > one.txt; exit 3', outcome: 'agent_failed', reason: /code 3/ },
  { what: 'a command that is not there', command: 'no-such-agent', outcome: 'agent_failed', reason: /127/ },
  {
    what: 'no .git at all',
    command: 'rm -rf .git; echo 1 > one.txt',
    outcome: 'agent_failed',
    reason: /\.git/,
  },
  {
    what: 'a .git that is garbage',
    command: 'echo x > .git/HEAD; echo 1 > one.txt',
    outcome: 'agent_failed',
    reason: /\.git/,
  },
  {
    what: 'objects that are missing',
    command: 'echo 1 > one.txt; git add -A; git commit -qm one; rm -rf .git/objects/*',
    outcome: 'agent_failed',
  },
  {
    what: 'an unresolved conflict',
    command:
      'git checkout -qb side; echo side > old.txt; git commit -qam side; git checkout -q -; ' +
      'echo mine > old.txt; git commit -qam mine; git merge side || true',
    outcome: 'agent_failed',
    reason: /conflicts.*old\.txt/,
  },
  {
    what: 'a lock that was left behind',
    command: 'echo 1 > one.txt; touch .git/index.lock',
    outcome: 'pushed',
    files: { 'one.txt': '1\n' },
  },
  {
    what: 'hooks, filters and other traps for whoever runs git here',
    command:
      'mkdir -p .git/hooks; for hook in pre-commit commit-msg post-commit pre-push reference-transaction; do ' +
      'printf "#!/bin/sh\\necho trapped > /work/trapped.txt; exit 1\\n" > .git/hooks/$hook; chmod +x .git/hooks/$hook; done; ' +
      'git config core.fsmonitor "touch /tmp/fs"; git config commit.gpgSign true; echo 1 > one.txt',
    outcome: 'pushed',
    files: { 'one.txt': '1\n' },
    changed: ['one.txt'],
  },
  {
    what: 'a process in the background that goes on writing',
    command:
      'setsid sh -c "while true; do date > late.txt; sleep 0.05; done" >/dev/null 2>&1 & echo 1 > one.txt',
    outcome: 'pushed',
    files: { 'one.txt': '1\n' },
  },
  {
    what: 'file names with newlines, quotes, spaces and a leading dash',
    command: `printf 1 > 'a
b'; printf 2 > 'q"u'\\''ote'; printf 3 > ' space '; printf 4 > ./-dash; printf 5 > 'ünï✓'`,
    outcome: 'pushed',
    changed: [' space ', '-dash', 'a\nb', 'q"u\'ote', 'ünï✓'],
  },
  {
    what: 'a symlink out of the clone',
    command: 'ln -s /etc/passwd link; ln -s ../../../root up',
    outcome: 'rejected',
    reason: /link/,
  },
  {
    what: 'a repository inside the clone',
    command: 'mkdir sub; cd sub; git init -q; echo 1 > one.txt; git add -A; git commit -qm inner',
    outcome: 'pushed',
    files: { 'sub/one.txt': '1\n' },
  },
  {
    what: 'a repository inside the clone that has no commit',
    command: 'mkdir sub; cd sub; git init -q; echo 1 > one.txt',
    outcome: 'pushed',
    files: { 'sub/one.txt': '1\n' },
  },
  {
    what: 'a file of 200 MB that does not compress',
    command: 'head -c 200000000 /dev/urandom > big.bin',
    outcome: 'rejected',
    reason: /larger than/,
  },
  {
    what: 'folders that nobody may enter',
    command: 'mkdir -p deep/er; echo 1 > deep/er/one.txt; chmod 000 deep/er; echo 2 > two.txt',
    outcome: 'pushed',
    changed: ['deep/er/one.txt', 'two.txt'],
  },
]

describe('whatever an agent leaves behind, the outcome is clear', () => {
  const served = servedPlace()

  async function repository(name: string) {
    return makeRepository(join(served.place.folder, `${name}.git`), {
      files: { 'README.md': '# A\n', 'old.txt': 'old\n', '.gitignore': '*.log\n' },
      commits: 2,
    })
  }

  async function expectBranch(
    remote: { path: string; sha: string },
    task: Task,
    leaving: Leaving,
  ): Promise<void> {
    const head = await branchSha(remote.path, task.branch)
    expect(task.evidence?.headSha).toBe(head)
    expect(task.evidence?.confirmedAt).not.toBeNull()
    expect(await listBranches(remote.path)).toEqual(['main', task.branch])
    for (const [path, content] of Object.entries(leaving.files ?? {})) {
      expect(await showFile(remote.path, task.branch, path)).toBe(content)
    }
    // What the evidence tells is what git says of the branch that stands there.
    const names = (
      await git(remote.path, ['diff', '--name-only', '-z', '--no-renames', remote.sha, task.branch])
    )
      .split('\0')
      .filter((name) => name !== '')
    expect(task.evidence?.files.toSorted()).toEqual(names.toSorted())
    const count = await git(remote.path, ['rev-list', '--count', `${remote.sha}..${task.branch}`])
    expect(task.evidence?.commits).toBe(Number(count))
  }

  for (const [index, leaving] of leavings.entries()) {
    it(`${leaving.what}: ${leaving.outcome}`, async () => {
      const remote = await repository(`leaving-${index}`)
      const accepted = await served.server.submit({
        repo: remote.path,
        prompt: 'Work',
        command: leaving.command,
      })
      const task = await served.server.untilDone(accepted.id)
      expect(task).toMatchObject({ state: 'done', outcome: leaving.outcome })
      if (leaving.reason !== undefined) expect(task.reason).toMatch(leaving.reason)
      if (leaving.changed !== undefined)
        expect(task.evidence?.files.toSorted()).toEqual(leaving.changed.toSorted())
      if (leaving.commits !== undefined) expect(task.evidence?.commits).toBe(leaving.commits)
      if (leaving.outcome === 'pushed') await expectBranch(remote, task, leaving)
      else expect(await listBranches(remote.path)).toEqual(['main'])
      expect(await branchSha(remote.path, 'main')).toBe(remote.sha)
    })
  }

  it('100,000 files: pushed, every one of them', async () => {
    const remote = await repository('many-files')
    const command = 'mkdir many; cd many; seq 1 100000 | split -l 1 -a 5 -d - f'
    const accepted = await served.server.submit({ repo: remote.path, prompt: 'Many', command })
    const task = await served.server.untilDone(accepted.id, 600_000)
    expect(task).toMatchObject({ outcome: 'pushed' })
    expect(task.evidence?.files).toHaveLength(100_000)
    expect(task.evidence?.headSha).toBe(await branchSha(remote.path, task.branch))
  }, 600_000)

  it('commits that we make carry the trailers, and an agent’s own are left as they are', async () => {
    const remote = await repository('trailers')
    const command = `${identity} echo 1 > one.txt; git add -A; git commit -qm "own words"; echo 2 > two.txt`
    const accepted = await served.server.submit({ repo: remote.path, prompt: 'Do two\n\nthings', command })
    const task = await served.server.untilDone(accepted.id)
    const log = await git(remote.path, ['log', '--format=%an|%B', `main..${task.branch}`])
    expect(log).toContain(`Nightshift|Do two\n\nNightshift-Task: ${task.id}\nNightshift-Attempt: 1\n`)
    expect(log).toContain('Agent|own words\n')
  })
})
