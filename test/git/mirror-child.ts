import { localPlace } from '../../src/git/git-place.ts'
import { createPublisher } from '../../src/git/publisher.ts'
import { run } from '../../src/process/run.ts'

// A process of its own that fetches into a mirror, until it is done or somebody kills it.
const [home, repo, sha] = process.argv.slice(2)
if (home === undefined || repo === undefined || sha === undefined)
  throw new Error('home, repo and sha are needed')
const publisher = await createPublisher({
  place: localPlace(home, run),
  path: '/usr/local/bin:/usr/bin:/bin',
  passThrough: {},
  credentialsFor: async () => null,
  log: { info() {}, warn() {}, error() {} },
})
process.stdout.write('ready\n')
await publisher.mirror(repo, sha, 'main')
