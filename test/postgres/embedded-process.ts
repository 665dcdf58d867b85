// Opens the database of the home in its argument, says so, and closes it when its input ends.
import { once } from 'node:events'
import { openEmbedded } from '../../src/postgres/embedded/open-embedded.ts'
import { quiet } from '../support/quiet.ts'

const [home] = process.argv.slice(2)
if (home === undefined) throw new Error('no home given')
const database = await openEmbedded({ home, log: quiet })
process.stdout.write(`${database.connection}\n`)
process.stdin.resume()
await once(process.stdin, 'end')
await database.close()
