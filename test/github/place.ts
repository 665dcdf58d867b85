import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { createGithub, type Github, type GithubOptions } from '../../src/github/github-forge.ts'
import type { ForgeRepository, PullRequest } from '../../src/ports/forge.ts'
import { systemClock } from '../../src/process/system-clock.ts'
import type { StandInRepository } from '../support/github/repository.ts'
import { botToken, startGithub, type GithubStandIn } from '../support/github/stand-in.ts'
import { commitTo, removeFolder } from '../support/repositories.ts'

/** A stand-in of GitHub for all tests of the `describe` around, which leaves no unknown route and no wrong body. */
export interface GithubPlace {
  readonly standIn: GithubStandIn
  /** As the bot, or with other settings. */
  open(options?: Partial<GithubOptions>): Github
  /** A repository of its own, with one pull request from `work` to `main`. */
  proposed(): Promise<{ repository: StandInRepository; forge: ForgeRepository; pull: PullRequest }>
  /** The repository as the forge sees it. */
  forgeOf(repository: StandInRepository, github?: Github): ForgeRepository
}

export function githubPlace(): GithubPlace {
  const place = {} as { standIn: GithubStandIn }
  let root = ''
  let made = 0

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'nightshift-github-'))
    place.standIn = await startGithub(root)
  })

  afterAll(async () => {
    await place.standIn.close()
    await removeFolder(root)
    if (place.standIn.problems.length > 0) throw new Error(place.standIn.problems.join('\n'))
  })

  const open = (options: Partial<GithubOptions> = {}) =>
    createGithub({
      serverUrl: place.standIn.url,
      apiUrl: place.standIn.apiUrl,
      account: { kind: 'token', token: botToken },
      clock: systemClock,
      changeEveryMs: 0,
      ...options,
    })

  const forgeOf = (repository: StandInRepository, github = open()) => {
    const forge = github.repository(`${place.standIn.url}/${repository.owner}/${repository.name}.git`)
    if (forge === null) throw new Error('the repository is not on this server')
    return forge
  }

  return Object.assign(place, {
    open,
    forgeOf,
    async proposed() {
      made += 1
      const repository = await place.standIn.makeRepository('team', `project-${made}`, {
        files: { 'a.txt': 'one\n' },
      })
      await commitTo(repository.path, 'work', { 'a.txt': 'one\ntwo\n' })
      const forge = forgeOf(repository)
      const created = await forge.createPullRequest(proposal('work'))
      if (created.kind !== 'created') throw new Error(`not created: ${created.kind}`)
      return { repository, forge, pull: created.pullRequest }
    },
  })
}

export function proposal(head: string) {
  return { head, base: 'main', title: 'A title', body: 'A body', draft: false }
}
