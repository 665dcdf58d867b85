import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCloner } from '../../src/git/clone.ts'
import { createLocalRuntime } from '../../src/local/local-runtime.ts'
import { run } from '../../src/process/run.ts'
import { runtimeContract } from '../runtime-contract/contract.ts'
import { makeMirror, specOf } from '../runtime-contract/place.ts'
import { quiet } from '../support/quiet.ts'
import { removeFolder } from '../support/repositories.ts'
import { missing } from './workplace.ts'

const path = '/usr/local/bin:/usr/bin:/bin'

runtimeContract({
  name: 'local',
  skipped: missing('curl', 'perl'),
  moreVariables: /^$/,
  async make(options = {}) {
    const folder = await mkdtemp(join(tmpdir(), 'nightshift-contract-'))
    const repository = await makeMirror(join(folder, 'repository.git'), options.files)
    const runtime = createLocalRuntime({
      home: join(folder, 'home'),
      path,
      userHome: join(folder, 'user'),
      author: { name: 'Test', email: 'test@example.org' },
      network: options.network ?? ['*'],
      log: quiet,
      clone: createCloner({ path, run, owner: null }),
    })
    return {
      runtime,
      folder,
      repository,
      open: (facts = {}) =>
        runtime.open(specOf(repository, facts), facts.signal ?? new AbortController().signal),
      close: async () => {
        await runtime.close()
        await removeFolder(folder)
      },
    }
  },
})
