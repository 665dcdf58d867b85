import { attack } from './attacks.ts'
import { makeWorkplace, noSandbox } from './workplace.ts'

// Runs as whoever started it, and prints what came of each attack, or why no sandbox can be made.
if (noSandbox === null) {
  const place = await makeWorkplace()
  const attempts = await attack(place)
  await place.close()
  process.stdout.write(JSON.stringify({ attempts, left: await place.left() }))
} else {
  process.stdout.write(JSON.stringify({ noSandbox }))
}
process.exit(0)
