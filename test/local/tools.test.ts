import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findTools } from '../../src/local/tools.ts'
import { makeWorkplace, noSandbox, sh, title } from './workplace.ts'

/** A user's home with what such homes hold. */
async function furnish(home: string): Promise<void> {
  const program = '#!/bin/sh\necho "$0 works"\n'
  const files: Record<string, string> = {
    '.nvm/versions/node/v24.0.0/bin/fakenode': program,
    '.nvm/versions/node/v24.0.0/lib/node_modules/npm/npmrc': 'secret',
    '.nvm/alias/default': 'v24.0.0',
    '.cargo/bin/fakecargo': '#!/bin/sh\necho "$0 works $RUSTUP_HOME"\n',
    '.cargo/credentials.toml': 'secret',
    '.rustup/toolchains/stable/bin/rustc': program,
    '.pyenv/shims/fakepython': '#!/bin/sh\nexec "$PYENV_ROOT/versions/3/bin/fakepython"\n',
    '.pyenv/versions/3/bin/fakepython': program,
    '.pyenv/pip.conf': 'secret',
    '.npm-global/bin/.keep': '',
    '.npm-global/lib/node_modules/tool/cli.js': program,
    '.npm-global/.npmrc': 'secret',
    '.local/share/pipx/venvs/black/bin/black': program,
    '.local/share/claude/versions/2.1.0': program,
    '.local/share/keyrings/login': 'secret',
    '.local/bin/own': program,
    'scripts/mine': program,
    'bin/mine-too': program,
    'project/private.txt': 'secret',
    '.ssh/id_ed25519': 'secret',
    '.npmrc': 'secret',
    '.netrc': 'secret',
    '.git-credentials': 'secret',
    '.config/gh/hosts.yml': 'secret',
    '.claude/.credentials.json': 'secret',
  }
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(home, name)), { recursive: true })
    await writeFile(join(home, name), content, {
      mode: content === program || content.startsWith('#!') ? 0o755 : 0o644,
    })
  }
  await symlink('../lib/node_modules/tool/cli.js', join(home, '.npm-global/bin/tool'))
  await symlink('../share/pipx/venvs/black/bin/black', join(home, '.local/bin/black'))
  await symlink(join(home, '.local/share/claude/versions/2.1.0'), join(home, '.local/bin/claude'))
}

const entries = [
  '.nvm/versions/node/v24.0.0/bin',
  '.cargo/bin',
  '.pyenv/shims',
  '.npm-global/bin',
  '.local/bin',
  'scripts',
  'bin',
]

describe('tools of the user', () => {
  let folder: string
  let home: string
  let path: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nightshift-tools-'))
    home = join(folder, 'user')
    await furnish(home)
    path = [
      ...entries.map((entry) => join(home, entry)),
      '/usr/bin',
      '.',
      'relative/bin',
      home,
      '/nowhere/bin',
    ].join(':')
  })

  afterAll(() => rm(folder, { recursive: true }))

  it('are brought in by their managers and by PATH, and nothing else of the home is', () => {
    const tools = findTools({ path, userHome: home, programs: [], hidden: [], asOther: false })
    const brought = tools.folders.map((name) => name.slice(home.length + 1))
    expect(brought).toEqual([
      '.cargo/bin',
      '.local/bin',
      '.local/share/claude/versions/2.1.0',
      '.local/share/pipx/venvs/black',
      '.npm-global',
      '.nvm/versions/node/v24.0.0',
      '.pyenv',
      '.rustup',
      'bin',
      'scripts',
    ])
    expect(tools.env).toEqual({ PYENV_ROOT: join(home, '.pyenv'), RUSTUP_HOME: join(home, '.rustup') })
    expect(tools.path).toBe(
      [...entries.map((entry) => join(home, entry)), '/usr/bin', '/usr/local/bin', '/bin'].join(':'),
    )
  })

  it('never bring in a home, what holds a hidden folder, or what npm put before PATH', () => {
    const find = (entry: string, hidden: string[] = []) =>
      findTools({ path: entry, userHome: home, programs: [], hidden, asOther: false }).folders
    expect(find('/')).toEqual([])
    expect(find(home)).toEqual([])
    expect(find(folder)).toEqual([])
    expect(find(join(home, '.ssh'))).toEqual([])
    expect(find(join(home, '.npm-global/bin'), [join(home, '.npm-global/secret')])).toEqual([
      join(home, '.npm-global/bin'),
      join(home, '.npm-global/lib/node_modules'),
    ])
    expect(find('/work/node_modules/.bin')).toEqual([])
    expect(find('/run/user/1000/bin')).toEqual([])
  })

  it.skipIf(noSandbox)(
    title('work in a sandbox, read-only, while the rest of the home is out of sight'),
    async () => {
      const place = await makeWorkplace({ userHome: home, path })
      try {
        const sandbox = await place.open()
        const names = [
          'fakenode',
          'fakecargo',
          'fakepython',
          'tool',
          'black',
          'claude',
          'own',
          'mine',
          'mine-too',
        ]
        const works = await sh(sandbox, names.map((name) => `${name} || echo ${name} is missing`).join('\n'))
        expect(works.stdoutTail.match(/ works/g)).toHaveLength(names.length)
        expect(works.stdoutTail).not.toContain('missing')

        const looks = await sh(
          sandbox,
          `grep -rls secret ${home} / --include='*' -d skip; grep -rl secret ${home}; true`,
        )
        expect(looks.stdoutTail).toBe('')
        const hidden = [
          '.ssh',
          '.npmrc',
          '.netrc',
          '.git-credentials',
          '.config',
          '.claude',
          'project',
          '.cargo/credentials.toml',
        ]
        for (const name of hidden) {
          const look = await sh(sandbox, `test -e ${home}/${name}`)
          expect(look.exitCode, name).toBe(1)
        }
        expect((await sh(sandbox, `wc -c <${home}/.npm-global/.npmrc`)).stdoutTail.trim()).toBe('0')
        expect((await sh(sandbox, `touch ${home}/.pyenv/x ${home}/y`)).exitCode).not.toBe(0)
      } finally {
        await place.close()
      }
    },
  )

  const notWritable = noSandbox ?? (process.getuid?.() === 0 ? null : 'only root can write to /opt')
  it.skipIf(notWritable)(
    title('work also where the home lies in a folder that is seen', notWritable),
    async () => {
      const odd = await mkdtemp('/opt/nightshift-tools-')
      await chmod(odd, 0o755)
      await furnish(odd)
      const place = await makeWorkplace({ userHome: odd, path: join(odd, '.npm-global/bin') })
      try {
        const sandbox = await place.open()
        expect((await sh(sandbox, 'tool')).stdoutTail).toContain('works')
        const seen = await sh(sandbox, `ls -A ${odd}; touch ${odd}/x; grep -rls secret ${odd}`)
        expect(seen.stdoutTail).toBe('.npm-global\n')
      } finally {
        await place.close()
        await rm(odd, { recursive: true })
      }
    },
  )

  it.skipIf(noSandbox)(title('of this very machine work in a sandbox'), async () => {
    const place = await makeWorkplace({
      userHome: process.env['HOME'] ?? '/',
      path: process.env['PATH'] ?? '',
    })
    try {
      const sandbox = await place.open()
      const outside = ['git', 'python3', 'cargo', 'node', 'npm', 'go', 'java'].filter(isOnPath)
      expect(outside).toContain('git')
      for (const program of outside) {
        const end = await sh(sandbox, `${program} --version || ${program} version || ${program} -version`)
        expect(end.exitCode, `${program}: ${end.stderrTail}`).toBe(0)
      }
    } finally {
      await place.close()
    }
  })
})

function isOnPath(program: string): boolean {
  // Those in a project's own node_modules belong to the project, not to the user.
  return findTools({
    path: process.env['PATH'] ?? '',
    userHome: process.env['HOME'] ?? '/',
    programs: [],
    hidden: [],
    asOther: false,
  })
    .path.split(':')
    .some((folder) => existsSync(join(folder, program)))
}
