import { access, chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Place } from './nightshift.ts'

/** Where git is to stop until it is released, once: around the nth call whose arguments hold all of these words. */
export interface StopPoint {
  readonly name: string
  readonly words: readonly string[]
  /** Counted from 1. */
  readonly call: number
  readonly when: 'before' | 'after'
}

/** A place whose PATH begins with a git that does all the real one does, and stops at chosen points. */
export interface StoppingGit {
  readonly place: Place
  stopAt(point: StopPoint): Promise<void>
  /** Whether git has come to the point. */
  reached(name: string): Promise<boolean>
  /** Lets git go on. */
  release(name: string): Promise<void>
}

// One file a point: its name, then the number of the call, before or after, and the words, a line each.
const script = (folder: string) => `#!/bin/sh
# Ends with the folder, too: nothing is left behind by a test that was killed.
stop() {
  : > "${folder}/reached/$1"
  while [ ! -e "${folder}/released/$1" ]; do
    [ -e "${folder}/reached/$1" ] || exit 1
    sleep 0.1
  done
}
all="$*"
after=''
for point in ${folder}/points/*; do
  [ -f "$point" ] || continue
  name=\${point##*/}
  { read -r call; read -r when; fits=yes; while read -r word; do
    case "$all" in *"$word"*) ;; *) fits=no ;; esac
  done; } < "$point"
  [ "$fits" = yes ] || continue
  echo x >> "${folder}/calls/$name"
  [ "$(wc -l < "${folder}/calls/$name")" = "$call" ] || continue
  if [ "$when" = before ]; then
    stop "$name"
    break
  fi
  after=$name
done
[ -n "$after" ] || exec /usr/bin/git "$@"
/usr/bin/git "$@"
code=$?
stop "$after"
exit "$code"
`

export async function makeStoppingGit(place: Place): Promise<StoppingGit> {
  const folder = join(place.folder, 'stopping-git')
  for (const name of ['bin', 'points', 'calls', 'reached', 'released'])
    await mkdir(join(folder, name), { recursive: true })
  await writeFile(join(folder, 'bin', 'git'), script(folder))
  await chmod(join(folder, 'bin', 'git'), 0o755)
  const path = `${join(folder, 'bin')}:${place.environment['PATH']}`
  return {
    place: { ...place, environment: { ...place.environment, PATH: path } },
    async stopAt(point) {
      const lines = [point.call, point.when, ...point.words]
      await writeFile(join(folder, 'points', point.name), `${lines.join('\n')}\n`)
    },
    reached: (name) =>
      access(join(folder, 'reached', name)).then(
        () => true,
        () => false,
      ),
    release: (name) => writeFile(join(folder, 'released', name), ''),
  }
}
