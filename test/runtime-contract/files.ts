import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RuntimeFailure, TooLarge, type Sandbox } from '../../src/ports/runtime.ts'
import { commitTo, git } from '../support/repositories.ts'
import { sh, titleOf, type RuntimePlace, type RuntimeUnderTest } from './place.ts'

/** `Runtime.open` and `Sandbox.take`: what is in a sandbox's folder, and what comes out of it. */
export function filesContract(under: RuntimeUnderTest): void {
  describe.skipIf(under.skipped !== null)(titleOf(under, 'files of a sandbox'), () => {
    let place: RuntimePlace
    let sandbox: Sandbox

    beforeAll(async () => {
      place = await under.make({
        files: { 'README.md': '# A repository\n', 'run.sh': { mode: '100755', content: '#!/bin/sh\n' } },
      })
      sandbox = await place.open()
    })

    afterAll(async () => {
      await sandbox.close()
      await place.close()
    })

    it('are a full and independent clone with the branch checked out, clean', async () => {
      const script = `git rev-parse HEAD; git symbolic-ref HEAD; git status --porcelain; git remote get-url origin
        cat .git/objects/info/alternates 2>/dev/null; git fsck --strict; ls -A; test -x run.sh && test -w . && echo fine`
      const end = await sh(sandbox, script)
      const { sha, path } = place.repository
      expect(end.stdoutTail).toBe(`${sha}\nrefs/heads/main\n${path}\n.git\nREADME.md\nrun.sh\nfine\n`)
    })

    it('have the work of an earlier attempt on top where there is some', async () => {
      const { path, sha, branch } = place.repository
      const headSha = await commitTo(path, 'work', { 'new.txt': 'new\n' }, { from: branch })
      const file = join(place.folder, 'work.bundle')
      await git(path, ['update-ref', 'HEAD', headSha])
      await git(path, ['bundle', 'create', '--quiet', file, 'HEAD', `^${sha}`])
      await git(path, ['update-ref', 'HEAD', sha])

      const work = { headSha, bundle: await readFile(file) }
      const other = await place.open({ source: { work }, purpose: 'checks' })
      const end = await sh(other, 'git rev-parse HEAD HEAD^; cat new.txt; git status --porcelain')
      expect(end.stdoutTail).toBe(`${headSha}\n${sha}\nnew\n`)
      await other.close()
    })

    it('are handed out when they are plain, up to a size', async () => {
      await sh(sandbox, `printf content >${sandbox.outPath}/plain; mkdir -p /work/sub`)
      expect((await sandbox.take('plain', 100))?.toString()).toBe('content')
      expect((await sandbox.take('plain', 7))?.toString()).toBe('content')
      await expect(sandbox.take('plain', 6)).rejects.toThrow(TooLarge)
      expect((await sh(sandbox, 'git status --porcelain')).stdoutTail).toBe('')
    })

    it('are handed out whole when they are large', async () => {
      await sh(sandbox, `head -c 30000000 /dev/zero | tr '\\0' 'x' >${sandbox.outPath}/large`)
      const large = await sandbox.take('large', 30_000_000)
      expect(large?.length).toBe(30_000_000)
      expect(large?.at(-1)).toBe('x'.charCodeAt(0))
    })

    it('are kept for later sandboxes when they are plain, and each gets a copy of its own', async () => {
      const [key, evil] = [randomUUID(), randomUUID()]
      await sh(sandbox, `cd ${sandbox.outPath}; echo kept >made; ln -s /etc/passwd to-passwd`)
      await sandbox.keep('made', key)
      await expect(sandbox.keep('to-passwd', evil)).rejects.toThrow(RuntimeFailure)
      await expect(sandbox.keep('made', `../${evil}`)).rejects.toThrow(RuntimeFailure)
      for (const change of ['cat copy; echo evil >copy', 'cat copy; rm copy']) {
        const other = await place.open()
        expect(await other.bring(evil, 'copy')).toBe(false)
        expect(await other.bring(key, 'copy')).toBe(true)
        expect((await sh(other, `cd ${other.outPath}; ${change}`)).stdoutTail).toBe('kept\n')
        await other.close()
      }
    })

    it('are not there when they are something else', async () => {
      await writeFile(join(place.folder, 'secret'), 'secret')
      const script = `cd ${sandbox.outPath}; rm -rf ./*; ln -s /etc/passwd link; ln -s plain inner; ln -s loop loop
        mkdir folder; mkfifo pipe; truncate -s 3G sparse; ls | wc -l`
      expect((await sh(sandbox, script)).stdoutTail.trim()).toBe('6')
      const names = ['link', 'inner', 'loop', 'folder', 'pipe', 'absent', '..', '.', '', '../clone/README.md']
      for (const name of names) expect(await sandbox.take(name, 1000), name).toBeNull()
      await expect(sandbox.take('sparse', 1000)).rejects.toThrow(TooLarge)
    })

    it('stay from one command to the next, in the clone, at home and in /tmp', async () => {
      await sh(sandbox, 'echo 1 >kept; echo 2 >~/kept; echo 3 >/tmp/kept')
      expect((await sh(sandbox, 'cat kept ~/kept /tmp/kept; rm kept')).stdoutTail).toBe('1\n2\n3\n')
    })

    it('of the system cannot be written', async () => {
      const script =
        'for at in / /usr /etc /bin /var /opt; do touch $at/x 2>/dev/null && echo $at; done; true'
      expect((await sh(sandbox, script)).stdoutTail).toBe('')
    })

    it('of a clone for a review cannot be written', async () => {
      const other = await place.open({ purpose: 'review' })
      const script = 'cat README.md; touch new .git/new || rm README.md || echo kept; git status --porcelain'
      expect((await sh(other, script)).stdoutTail).toBe('# A repository\nkept\n')
      await other.close()
    })

    it('of two sandboxes of one attempt are apart', async () => {
      const taskId = `TWICE${process.pid}`
      const pair = await Promise.all([place.open({ taskId }), place.open({ taskId, purpose: 'checks' })])
      await sh(pair[0], 'echo one >file; echo two >~/file; echo three >/tmp/file')
      expect((await sh(pair[1], 'ls -A . ~ /tmp')).stdoutTail).not.toContain('file\n')
      await Promise.all(pair.map((each) => each.close()))
    })

    it('are gone when it is closed, whatever they are, and closing twice is fine', async () => {
      const other = await place.open()
      const script = `mkdir -p a/b/c many && touch a/b/c/d && chmod 000 a/b a && chmod 000 "$HOME" /tmp /out
        for n in $(seq 500); do : >many/$n; done; printf x >"$(printf 'new\\nline \\377')"; ln -s /etc/passwd link
        mkfifo pipe; chmod 000 .git .`
      await sh(other, script)
      await other.close()
      await other.close()
      await expect(sh(other, 'true')).rejects.toThrow(RuntimeFailure)
    })

    it('are not made after an abort, which is told with its reason', async () => {
      const reason = new Error('not any more')
      await expect(place.open({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      const controller = new AbortController()
      const opening = place.open({ signal: controller.signal })
      setTimeout(() => controller.abort(reason), 1)
      await expect(opening).rejects.toBe(reason)
    })

    it('are a failure of the machine where the clone cannot be made', async () => {
      const source = { mirror: join(place.folder, 'absent.git') }
      await expect(place.open({ source })).rejects.toThrow(RuntimeFailure)
      const sha = '1234567890123456789012345678901234567890'
      await expect(place.open({ source: { sha } })).rejects.toThrow(RuntimeFailure)
    })
  })
}
