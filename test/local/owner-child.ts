import { makeWorkplace, sh } from './workplace.ts'

// A process that has a sandbox open with a command in it, until it is killed or stopped.
const [home = '', taskId = ''] = process.argv.slice(2)
const place = await makeWorkplace({ home })
const sandbox = await place.open({ taskId })
const script = 'setsid sleep 87654 >/dev/null 2>&1 & sleep 87654 & echo started; wait'
await sh(sandbox, script, { onLine: ({ text }) => process.stdout.write(`${text} ${place.folder}\n`) })
