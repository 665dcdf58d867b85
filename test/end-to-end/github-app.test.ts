import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { showFile } from '../support/repositories.ts'
import { forgePlace } from './forge-place.ts'

const tokensRoute = 'POST /app/installations/{installation_id}/access_tokens'
const createRoute = 'POST /repos/{owner}/{repo}/pulls'

describe('as a GitHub App', () => {
  // As GitHub hands them out: PKCS#1.
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const here = forgePlace({ GITHUB_APP_ID: '4711', GITHUB_APP_PRIVATE_KEY: privateKey })
  const approves = `echo '{"verdict": "approve", "findings": []}'`

  it('one token of its installation is enough from push to merge', async () => {
    const repository = await here.repository()
    const task = await here.done(repository, { merge: 'review', reviewCommand: approves })
    expect(task).toMatchObject({ outcome: 'merged', evidence: { pullRequest: { reviews: 1 } } })
    expect(await showFile(repository.path, 'main', 'one.txt')).toBe('1\n')
    expect(repository.pull(1).user).toBe('night-app[bot]')
    // It knows that the pull request is its own: no refusal was needed to find out.
    expect(here.standIn.count('POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews')).toBe(1)
    expect(here.standIn.count(tokensRoute)).toBe(1)
  })

  it('a token that ends before its time, and an app that was installed anew, are asked for again', async () => {
    const repository = await here.repository()
    const before = here.standIn.count(tokensRoute)
    const held = here.standIn.faults.hold(createRoute, 'before')
    const task = await here.submit(repository, { merge: 'checks' })
    await held.reached
    here.standIn.app.revokeTokens()
    here.standIn.app.installationId += 1
    held.release()
    expect(await here.server.untilDone(task.id)).toMatchObject({ outcome: 'merged' })
    expect(repository.pulls).toHaveLength(1)
    expect(here.standIn.count(tokensRoute)).toBe(before + 1)
  })

  it('a token that cannot be had just now is waited for', async () => {
    const repository = await here.repository()
    here.standIn.app.revokeTokens()
    here.standIn.faults.refuse(tokensRoute, { status: 502, message: 'Server Error' }, 2)
    const task = await here.done(repository, {})
    expect(task).toMatchObject({ outcome: 'open' })
    expect(repository.pulls).toHaveLength(1)
  })

  it('an app that is deleted meanwhile ends it invalid', async () => {
    const repository = await here.repository()
    const held = here.standIn.faults.hold(createRoute, 'before')
    const task = await here.submit(repository, { merge: 'checks' })
    await held.reached
    here.standIn.app.revokeTokens()
    here.standIn.app.privateKey = null
    held.release()
    const ended = await here.server.untilDone(task.id)
    expect(ended).toMatchObject({ outcome: 'invalid' })
    expect(ended.reason).toMatch(/credentials/i)
    here.standIn.app.privateKey = privateKey
  })
})
