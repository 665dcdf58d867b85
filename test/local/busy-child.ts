import { makeWorkplace, sh } from './workplace.ts'

// A process that starts one command after the other, until it is killed.
const [home = '', seconds = ''] = process.argv.slice(2)
const place = await makeWorkplace({ home })
const sandbox = await place.open()
process.stdout.write(`${place.folder}\n`)
// Each by itself, so that at any moment some jail is being made.
await Promise.all(
  [1, 2, 3, 4].map(async () => {
    for (;;) await sh(sandbox, `setsid sleep ${seconds} >/dev/null 2>&1 &`)
  }),
)
