import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runCli } from '../support/nightshift.ts'
import { servedPlace } from '../support/served-place.ts'
import { git, listBranches, makeCheckout, makeRepository, showFile } from '../support/repositories.ts'

describe('the gate stands between the agent and the remote', () => {
  const served = servedPlace()
  let made = 0

  async function work(rules: string, command: string, files: Readonly<Record<string, string>> = {}) {
    const name = `gate-${(made += 1)}.git`
    const remote = await makeRepository(join(served.place.folder, name), {
      files: { 'README.md': '# A\n', '.nightshift.yaml': rules, ...files },
    })
    const { id } = await served.server.submit({ repo: remote.path, prompt: 'Work', command })
    const task = await served.server.untilDone(id)
    return { remote, task, branches: await listBranches(remote.path) }
  }

  it('what the policy denies is rejected after the last fix round, and nothing is pushed', async () => {
    const { task, branches } = await work(
      'policy:\n  deny: ["secret/**"]\n',
      'mkdir -p secret; echo 1 > secret/one',
    )
    expect(task).toMatchObject({
      outcome: 'rejected',
      evidence: { policy: { passed: false }, confirmedAt: null },
    })
    expect(task.evidence?.policy?.violations).toMatchObject([{ rule: 'deny', file: 'secret/one' }])
    expect(task.reason).toContain('secret/one')
    expect(branches).toEqual(['main'])
  })

  it('the work that was rejected can be fetched, commits and all, and what was pushed lies on its branch', async () => {
    const rules = 'fixRounds: 0\npolicy:\n  deny: ["secret/**"]\n'
    const command =
      'mkdir -p secret; echo 1 > secret/one; git add .; git commit -qm mine; echo 2 > secret/two'
    const { task, remote } = await work(rules, command)
    const { place } = served
    const environment = { ...place.environment, NIGHTSHIFT_URL: served.server.url }
    const file = join(place.folder, `${task.id}.bundle`)
    const end = await runCli({ ...place, environment }, ['bundle', task.id, file])
    expect(end).toMatchObject({ exitCode: 0, stdout: `${file}\n` })
    const clone = await makeCheckout(remote.path, join(place.folder, `clone-${made}`))
    await git(clone, ['fetch', '--quiet', file, 'HEAD:fetched'])
    expect((await git(clone, ['rev-parse', 'fetched'])).trim()).toBe(task.evidence?.headSha)
    expect(await showFile(clone, 'fetched', 'secret/two')).toBe('2\n')
    expect((await runCli({ ...place, environment }, ['bundle', task.id, file])).stderr).toContain('--force')

    const pushed = await work('', 'echo 1 > one')
    const answer = await served.server.request('GET', `/api/v1/tasks/${pushed.task.id}/bundle`)
    expect(answer.status).toBe(404)
    expect(await answer.text()).toContain(`on the branch ${pushed.task.branch}`)
  })

  it('what a commit on the way holds is pushed with it, and judged with it', async () => {
    const rules = 'fixRounds: 0\npolicy:\n  deny: ["secret/**"]\n  binary: deny\n  maxFileBytes: 1000\n'
    const commit = 'git add --all && git commit -qm step --no-verify'
    const hidden = [
      'mkdir -p secret .github/workflows; echo 1 > secret/one; echo 1 > .github/workflows/own.yml',
      `head -c 2000 /dev/zero | tr '\\0' a > large.txt; printf '\\0' > README.md`,
      commit,
      'git rm -rq secret .github large.txt; git checkout -q HEAD~ README.md; echo 1 > one',
      commit,
    ].join('\n')
    const { task, branches } = await work(rules, hidden)
    expect(task).toMatchObject({ outcome: 'rejected', evidence: { files: ['one'], commits: 2 } })
    const found = task.evidence?.policy?.violations.map(({ rule, file }) => `${rule} ${file}`)
    expect(found?.toSorted()).toEqual([
      'binary README.md',
      'deny secret/one',
      'maxFileBytes large.txt',
      'protect .github/workflows/own.yml',
    ])
    expect(task.reason).toContain('would be pushed with the history')
    expect(branches).toEqual(['main'])
    // Commits that hold nothing of the kind stay as they are.
    const good = await work(rules, `echo 1 > one; ${commit}; echo 2 > two; ${commit}; rm one; ${commit}`)
    expect(good.task).toMatchObject({ outcome: 'pushed', evidence: { files: ['two'], commits: 3 } })
  })

  it('what setup left is not the agent’s work, as long as the agent does not touch it', async () => {
    const rules = 'setup: echo dirty > "made here.txt"; mkdir out; echo 1 > out/one; echo more >> README.md\n'
    const nothing = await work(rules, 'true')
    expect(nothing.task).toMatchObject({ outcome: 'no_changes' })
    expect(nothing.branches).toEqual(['main'])
    const one = await work(rules, 'echo 1 > one')
    expect(one.task).toMatchObject({ outcome: 'pushed', evidence: { files: ['one'] } })
    const both = await work(rules, 'echo 1 > one; echo mine >> README.md')
    expect(both.task.evidence?.files).toEqual(['README.md', 'one'])
    const own = await work(rules, 'echo 1 > one; git add --all; git commit -qm mine -- one')
    expect(own.task.evidence?.files).toEqual(['one'])
  })

  it('an agent that fails at mending leaves what was found, and the work, as evidence', async () => {
    const rules = 'fixRounds: 1\nchecks:\n  - {name: never, run: "false"}\n'
    const { task } = await work(rules, 'test "$NIGHTSHIFT_ROUND" != 1 || exit 3; echo 1 > one')
    expect(task).toMatchObject({
      outcome: 'checks_failed',
      evidence: { files: ['one'], policy: { passed: true }, checks: [{ name: 'never', exitCode: 1 }] },
    })
    expect((await served.server.request('GET', `/api/v1/tasks/${task.id}/diff`)).status).toBe(200)
  })

  it('the agent is told what was found, with its prompt, and may mend it', async () => {
    const command =
      'if [ "$NIGHTSHIFT_ROUND" = 0 ]; then echo 1 > denied.txt; ' +
      'else rm denied.txt; printf "%s" "$NIGHTSHIFT_PROMPT" > told.md; fi'
    const { task, remote } = await work('policy:\n  deny: ["denied.txt"]\n', command)
    expect(task).toMatchObject({
      outcome: 'pushed',
      evidence: { files: ['told.md'], policy: { passed: true } },
    })
    expect(await showFile(remote.path, task.branch, 'told.md')).toMatch(/^Work\n\n[^]*denied\.txt/)
  })

  it('an agent that commits is stopped by the hook at once, and what it does about that is judged', async () => {
    const command =
      'echo 1 > denied.txt; git add .; git commit -qm one 2> /tmp/said || { git reset -q --hard; cp /tmp/said told.txt; git add .; git commit -qm two; }'
    const { task, remote } = await work('fixRounds: 0\npolicy:\n  deny: ["denied.txt"]\n', command)
    expect(task).toMatchObject({ outcome: 'pushed', evidence: { files: ['told.txt'], commits: 1 } })
    expect(await showFile(remote.path, task.branch, 'told.txt')).toContain('denied.txt must not change')
  })

  it('an agent that gives up since the hook refuses is told by the gate, and mends it', async () => {
    const rules = 'fixRounds: 1\npolicy:\n  deny: ["denied.txt"]\n'
    const mends =
      'echo "$NIGHTSHIFT_PROMPT" > told.md; [ "$NIGHTSHIFT_ROUND" = 0 ] && echo 1 > denied.txt || rm denied.txt; git add . && git commit -qm one'
    const { task, remote } = await work(rules, mends)
    expect(task).toMatchObject({
      outcome: 'pushed',
      evidence: { files: ['told.md'], agent: { exitCode: 0 } },
    })
    expect(task.evidence?.agent).not.toHaveProperty('fault')
    expect(await showFile(remote.path, task.branch, 'told.md')).toMatch(/^Work\n\n[^]*denied\.txt/)

    const never = await work(rules, 'echo 1 > denied.txt; git add . && git commit -qm one')
    expect(never.task).toMatchObject({ outcome: 'rejected', evidence: { agent: { exitCode: 1 } } })
    expect(never.task.evidence?.policy?.violations).toMatchObject([{ rule: 'deny', file: 'denied.txt' }])

    // What takes its work back and still ends badly, or only says that it was refused, has failed.
    const undone = 'echo 1 > denied.txt; git add .; git commit -qm one; git reset -q --hard; exit 3'
    const claimed = 'touch "$(git config core.hooksPath)/../refused"; echo 1 > fine.txt; exit 3'
    for (const command of [undone, claimed]) {
      const { task: failed, branches } = await work(rules, command)
      expect(failed).toMatchObject({ outcome: 'agent_failed', evidence: { agent: { exitCode: 3 } } })
      expect(failed.reason).toContain('exited with code 3')
      expect(branches).toEqual(['main'])
    }
  })

  it('an agent that goes around the hook is judged all the same, and told what is left after the last round', async () => {
    const command =
      'echo $NIGHTSHIFT_ROUND > denied-$NIGHTSHIFT_ROUND.txt; git add .; git commit -qnm one; rm -rf /out/hooks'
    const { task } = await work('fixRounds: 1\npolicy:\n  deny: ["denied-*"]\n', command)
    expect(task.outcome).toBe('rejected')
    const files = task.evidence?.policy?.violations.map((violation) => violation.file)
    expect(files).toEqual(['denied-0.txt', 'denied-1.txt'])
  })

  it('an agent that rewrites the rules on its branch is judged by those of the base', async () => {
    const command = 'echo "policy: {}" > .nightshift.yaml; echo 1 > denied.txt'
    const { task } = await work('policy:\n  deny: ["denied.txt"]\nfixRounds: 0\n', command)
    expect(task.outcome).toBe('rejected')
    expect(task.evidence?.policy?.violations.map((violation) => violation.file)).toEqual(
      expect.arrayContaining(['.nightshift.yaml', 'denied.txt']),
    )
  })

  it('a failing check keeps the work back, on the files that changed alone', async () => {
    const rules =
      'fixRounds: 0\nchecks:\n  - name: words\n    run: grep -L bad {files} | wc -l; ! grep -l bad {files}\n    files: ["**/*.txt"]\n'
    const failing = await work(rules, 'echo bad > new.txt', { 'old.txt': 'bad\n' })
    expect(failing.task).toMatchObject({
      outcome: 'checks_failed',
      evidence: { checks: [{ name: 'words', files: ['new.txt'], exitCode: 1 }], confirmedAt: null },
    })
    expect(failing.branches).toEqual(['main'])
    const passing = await work(rules, 'echo good > new.txt', { 'old.txt': 'bad\n' })
    expect(passing.task).toMatchObject({
      outcome: 'pushed',
      evidence: { checks: [{ name: 'words', exitCode: 0 }] },
    })
  })

  it('checks see a clean clone of the head after set-up, not what the agent left lying about', async () => {
    const rules =
      'fixRounds: 0\nsetup: echo made > made.log\nchecks:\n  - name: clean\n    run: test ! -e left.log && test -e made.log && test -e new.txt\n'
    const { task } = await work(rules, 'echo x > left.log; echo 1 > new.txt', { '.gitignore': '*.log\n' })
    expect(task).toMatchObject({ outcome: 'pushed', evidence: { checks: [{ name: 'clean', exitCode: 0 }] } })
  })

  it('names of files are no commands, and a check has its own time limit', async () => {
    const names = [
      '-rf.txt',
      '$(touch pwned).txt',
      '`touch pwned`.txt',
      "it's; touch pwned;.txt",
      'a b\\n.txt',
      '~.txt',
    ]
    const command = `node -e 'for (const name of JSON.parse(process.argv[1])) require("fs").writeFileSync(name, "")' '${JSON.stringify(names).replaceAll("'", "'\\''")}'`
    const rules =
      'fixRounds: 0\nchecks:\n  - name: there\n    run: for file in {files}; do test -e "$file" || exit 7; done; test ! -e pwned\n' +
      '    files: "*.txt"\n  - name: slow\n    run: sleep 600\n    timeout: 1s\n'
    const { task } = await work(rules, command)
    expect(task).toMatchObject({
      outcome: 'checks_failed',
      evidence: {
        checks: [
          { name: 'there', exitCode: 0 },
          { name: 'slow', exitCode: null },
        ],
      },
    })
    expect(task.evidence?.checks[0]?.files.toSorted()).toEqual(names.toSorted())
    expect(task.reason).toContain('slow (did not end in time)')
  })

  it('what fails on the base already is not held against the task', async () => {
    const rules = 'fixRounds: 0\nchecks:\n  - name: old\n    run: "! grep bad old.txt"\n    baseline: true\n'
    const { task } = await work(rules, 'echo 1 > new.txt', { 'old.txt': 'bad\n' })
    expect(task).toMatchObject({
      outcome: 'pushed',
      evidence: { checks: [{ name: 'old', baselineFailed: true }] },
    })
  })

  it('a check that breaks off does not pass for one that fails as on the base', async () => {
    const files = {
      'calc.py': 'def add(a, b):\n    return a + b\n',
      'test_calc.py':
        'import unittest, calc\nclass T(unittest.TestCase):\n    def test_known(self):\n        self.fail()\n    def test_add(self):\n        self.assertEqual(calc.add(1, 2), 3)\n',
    }
    const rules =
      'fixRounds: 0\nchecks:\n  - {name: unit, run: python3 -m unittest -v test_calc, baseline: true}\n'
    for (const broken of ['import sys; sys.exit(1)', 'import os; os._exit(1)', 'def add(a, b): return 0']) {
      const { task } = await work(rules, `echo '${broken}' > calc.py`, files)
      expect([broken, task.outcome]).toEqual([broken, 'checks_failed'])
    }
    const { task } = await work(rules, 'echo "# good" >> calc.py', files)
    expect(task).toMatchObject({ outcome: 'pushed', evidence: { checks: [{ baselineFailed: true }] } })
  })

  it('a secret in what was added is rejected, without being told again', async () => {
    const token = ['ghp', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'].join('_')
    const { task, branches } = await work(
      'fixRounds: 0\n',
      `echo one > a.txt; echo "token ${token}" >> a.txt`,
    )
    expect(task.evidence?.policy?.violations).toMatchObject([{ rule: 'secrets', file: 'a.txt', line: 2 }])
    expect(JSON.stringify(task.evidence) + task.reason).not.toContain(token)
    expect(branches).toEqual(['main'])
  })

  it('rules that cannot be read end invalid, with file, line and key', async () => {
    const { task } = await work('policy:\n  denny: ["x"]\n', 'echo 1 > new.txt')
    expect(task).toMatchObject({ outcome: 'invalid' })
    expect(task.reason).toMatch(/\.nightshift\.yaml:2:\d+:.*denny/)
  })

  it('a set-up that fails on the base ends invalid, in its own words', async () => {
    const { task } = await work('setup: echo "no such tool" >&2; exit 4\n', 'echo 1 > new.txt')
    expect(task).toMatchObject({ outcome: 'invalid' })
    expect(task.reason).toMatch(/code 4.*no such tool/)
  })

  it('a host that the operator does not allow is told before anything runs', async () => {
    const { task } = await work('network:\n  setup: ["127.0.0.1:9"]\n', 'echo 1 > new.txt')
    expect(task).toMatchObject({ outcome: 'invalid' })
    expect(task.reason).toContain('127.0.0.1')
  })
})
