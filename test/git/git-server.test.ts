import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startGitServer } from '../support/git-server.ts'
import {
  branchSha,
  commitTo,
  git,
  listBranches,
  makeCheckout,
  makeRepository,
  removeFolder,
  runGit,
  showFile,
} from '../support/repositories.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'nightshift-server-'))
})
afterEach(() => removeFolder(root))

test('the helpers make repositories with files, history and branches', async () => {
  const made = await makeRepository(join(root, 'one.git'), {
    files: { 'a "b"\n.txt': 'x', 'bin/run': { mode: '100755', content: '#!/bin/sh\n' } },
    commits: 3,
  })
  const side = await commitTo(made.path, 'side/one', { 'README.md': 'new\n', 'bin/run': null })
  expect(await branchSha(made.path, 'main')).toBe(made.sha)
  expect(await branchSha(made.path, 'side/one')).toBe(side)
  expect(await branchSha(made.path, 'side')).toBeNull()
  expect(await listBranches(made.path)).toEqual(['main', 'side/one'])
  expect(await showFile(made.path, 'main', 'a "b"\n.txt')).toBe('x')
  expect(await showFile(made.path, side, 'bin/run')).toBeNull()
  expect((await git(made.path, ['rev-list', '--count', 'main'])).trim()).toBe('3')
})

test('the server clones, takes pushes, and asks for credentials', async () => {
  const made = await makeRepository(join(root, 'one.git'))
  await using server = await disposable(root, { user: 'u', password: 'p' })
  const address = server.url.replace('http://', 'http://u:p@')
  const checkout = await makeCheckout(`${address}/one.git`, join(root, 'checkout'))
  await git(checkout, ['commit', '--quiet', '--allow-empty', '-m', 'more'])
  await git(checkout, ['push', '--quiet', 'origin', 'HEAD:refs/heads/pushed'])
  expect(await branchSha(made.path, 'pushed')).toBe((await git(checkout, ['rev-parse', 'HEAD'])).trim())

  const stranger = await runGit(root, ['ls-remote', `${server.url}/one.git`])
  expect(stranger.exitCode).toBe(128)

  server.faults.losePushAnswer = true
  const lost = await runGit(checkout, ['push', 'origin', 'HEAD:refs/heads/lost'])
  expect(lost.exitCode).not.toBe(0)
  expect(await branchSha(made.path, 'lost')).not.toBeNull()
})

async function disposable(folder: string, auth: { user: string; password: string }) {
  const server = await startGitServer({ root: folder, auth })
  return { ...server, [Symbol.asyncDispose]: () => server.close() }
}
