import { makeWorkplace, sh } from './workplace.ts'

// A process that has a sandbox open with a command in it, until it is killed or stopped.
const [home = '', taskId = '', seconds = ''] = process.argv.slice(2)
const place = await makeWorkplace({ home })
const sandbox = await place.open({ taskId })
const script = `setsid sleep ${seconds} >/dev/null 2>&1 & sleep ${seconds} & echo started; wait`
await sh(sandbox, script, { onLine: ({ text }) => process.stdout.write(`${text} ${place.folder}\n`) })
