import { makePlace } from './engine.ts'
import { sh } from '../runtime-contract/place.ts'

/** Opens a sandbox for the task that it is told, sleeps in it, and waits to be ended. */
const [taskId = '', mark = ''] = process.argv.slice(2)
const place = await makePlace({})
const sandbox = await place.open({ taskId })
await sh(sandbox, `echo started; sleep ${mark}`, {
  onLine: () => process.stdout.write(`started ${place.folder}\n`),
})
