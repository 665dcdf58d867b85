import { readFile } from 'node:fs/promises'
import { localPlace } from '../../src/git/git-place.ts'
import { createPublisher } from '../../src/git/publisher.ts'
import { identity } from './workplace.ts'
import { run } from '../../src/process/run.ts'

// A process of its own that pushes, until it is done or somebody kills it.
const [home, repo, baseSha, bundle] = process.argv.slice(2)
if (home === undefined || repo === undefined || baseSha === undefined || bundle === undefined) {
  throw new Error('home, repo, base and bundle are needed')
}
const publisher = await createPublisher({
  place: localPlace(home, run),
  path: '/usr/local/bin:/usr/bin:/bin',
  passThrough: {},
  credentialsFor: async () => null,
  log: { info() {}, warn() {}, error() {} },
})
const work = await publisher.receive({
  taskId: 'CHILD',
  attempt: 1,
  repo,
  baseSha,
  bundle: await readFile(bundle),
  commit: identity,
})
await publisher.push(work, { branch: 'late', expected: null })
