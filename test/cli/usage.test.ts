import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSettings } from '../../src/config.ts'
import { typed } from './person.ts'

const run = ['run', 'p', '--repo', '.', '--command', 'true']

describe('a command that was typed wrongly', () => {
  it.each([
    ['an unknown command', ['rnu'], "unknown command 'rnu'"],
    ['an unknown flag', ['ls', '--bogus'], "unknown option '--bogus'"],
    ['a missing argument', ['show'], "missing required argument 'id'"],
    ['an argument too many', ['pause', 'now'], 'too many arguments'],
    ['a flag without its value', ['run', 'p', '--repo'], 'argument missing'],
    ['no prompt', ['run', '--repo', '.'], 'PROMPT: is needed'],
    ['a prompt that --paths took', ['run', '--repo', '.', '--paths', 'a', 'Fix it'], 'put -- between'],
    ['no repository', ['run', 'p'], '--repo: is needed'],
    ['no repository, for a server', ['submit', 'p'], '--repo: is needed'],
    ['a branch for two', ['run', 'a', 'b', '--repo', '.', '--branch', 'x'], '--branch: goes with one prompt'],
    ['too many at a time', [...run, '--parallel', '257'], '--parallel: must be a whole number from 1 to 256'],
    ['none at a time', [...run, '--parallel', '0'], '--parallel: must be'],
    [
      'a file that is not there',
      ['run', '--repo', '.', '--prompt-file', '/no/such/file'],
      '--prompt-file: /no/such/file cannot be read: there is no such file',
    ],
    [
      'stdin twice',
      ['run', '--repo', '.', '--prompt-file', '-', '--prompt-file', '-'],
      'stdin can be read once',
    ],
    ['a port out of range', ['serve', '--port', '65536'], '--port: must be'],
    ['a strange grace', ['worker', '--grace', 'long'], '--grace: must be'],
    ['a strange limit', ['ls', '--limit', 'all'], '--limit: must be'],
    ['a token without a name', ['token', 'create', ' '], 'NAME: must have'],
    ['a token whose name breaks a line', ['token', 'create', 'a\nb'], 'NAME: must have no line breaks'],
    [
      'a backup into no folder',
      ['backup', '/no/such/folder/file'],
      'FILE: there is no folder /no/such/folder',
    ],
    ['a backup over a folder', ['backup', '/tmp'], 'FILE: /tmp is a folder'],
    ['a plan that is a folder', ['plan', 'check', '/tmp'], '/tmp: it is a folder'],
    ['a subcommand that is not there', ['token', 'destroy'], "unknown command 'destroy'"],
  ])('%s: exit code 2, says why on stderr, and prints nothing', async (_what, argv, message) => {
    const { exitCode, stdout, stderr } = await typed(argv)
    expect(stderr).toContain(message)
    expect([exitCode, stdout]).toEqual([2, ''])
  })

  it.each([
    [['rnu', '--json']],
    [['ls', '--bogus', '--json']],
    [['show', '--json']],
    [['run', '--json']],
    [['serve', '--port', 'x', '--json']],
  ])('%j: prints one JSON value on stdout and nothing else', async (argv) => {
    const { exitCode, stdout, stderr } = await typed(argv)
    expect(JSON.parse(stdout)).toMatchObject({ error: { exitCode: 2 } })
    expect([exitCode, stderr]).toEqual([2, ''])
  })

  it('without a command: exit code 2 and the help on stderr', async () => {
    const { exitCode, stdout, stderr } = await typed([])
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toContain('nightshift run')
  })

  it('with an environment that cannot be used: exit code 2 and its name', async () => {
    const environment = { NIGHTSHIFT_SLOTS: 'many', NIGHTSHIFT_URL: 'ftp://x' }
    const { exitCode, stderr } = await typed(['ls'], { environment })
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/NIGHTSHIFT_SLOTS[^]*NIGHTSHIFT_URL|NIGHTSHIFT_URL[^]*NIGHTSHIFT_SLOTS/)
  })

  it.each([
    [{ NIGHTSHIFT_TOKEN: 'a\nb' }, 'NIGHTSHIFT_TOKEN: must be visible ASCII'],
    [{ NIGHTSHIFT_NETWORK: '*, http://x' }, 'NIGHTSHIFT_NETWORK: "http://x" must be *, a host'],
    [{ NIGHTSHIFT_NETWORK: '10.0.0.0/99' }, 'NIGHTSHIFT_NETWORK: "10.0.0.0/99" must be'],
    [{ NIGHTSHIFT_NETWORK: 'a.org:0' }, 'NIGHTSHIFT_NETWORK: "a.org:0" must be'],
    [{ GITHUB_SERVER_URL: 'x' }, 'GITHUB_SERVER_URL: must be an https URL'],
  ])('with %j: one line that names it and says what it may be', async (environment, message) => {
    const { exitCode, stderr } = await typed(['ls'], { environment })
    expect([exitCode, stderr.trimEnd().split('\n').length]).toEqual([2, 1])
    expect(stderr).toContain(message)
  })

  it('takes every form of a host that the operator may name', () => {
    const forms = [
      '*',
      'A.example.org',
      '*.example.org:8443',
      '127.0.0.1:8080',
      '[::1]:8080',
      '::1',
      '10.0.0.0/8',
      'fd00::/8',
    ]
    expect(readSettings({ NIGHTSHIFT_NETWORK: forms.join(' , ') }).network).toEqual(
      forms.map((form) => form.toLowerCase()),
    )
  })

  it('is told apart from a machinery that fails: exit code 3', async () => {
    const { exitCode, stderr } = await typed(run)
    expect([exitCode, stderr]).toEqual([3, 'nightshift: the database cannot be opened\n'])
  })

  it('is told apart from a server that does not answer: exit code 3, and where it looked', async () => {
    const environment = { NIGHTSHIFT_URL: 'http://127.0.0.1:9' }
    const { exitCode, stderr } = await typed(['ls'], { environment })
    expect(exitCode).toBe(3)
    expect(stderr).toContain('http://127.0.0.1:9')
    expect(stderr).toContain('nightshift serve')
    const json = await typed(['ls', '--json'], { environment })
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { exitCode: 3, url: 'http://127.0.0.1:9' } })
  })
})

describe('help and version', () => {
  it('shows examples first, on stdout, with exit code 0', async () => {
    const { exitCode, stdout, stderr } = await typed(['--help'])
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout.startsWith('Examples:\n  nightshift run ')).toBe(true)
    for (const command of [
      'run',
      'serve',
      'worker',
      'submit',
      'ls',
      'show',
      'logs',
      'diff',
      'cancel',
      'retry',
      'pause',
      'resume',
      'drain',
      'limits',
      'token',
      'doctor',
    ]) {
      expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'))
    }
  })

  it('has help for every command, with its flags and --json', async () => {
    for (const command of [['run'], ['serve'], ['ls'], ['token', 'create'], ['doctor'], ['logs']]) {
      const { exitCode, stdout } = await typed([...command, '--help'])
      expect([exitCode, stdout.includes('--json')], command.join(' ')).toEqual([0, true])
    }
  })

  it('prints the version', async () => {
    expect(await typed(['--version'])).toEqual({ exitCode: 0, stdout: '1.2.3\n', stderr: '' })
  })
})

describe('prompts from files', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nightshift-cli-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('must be UTF-8', async () => {
    const file = join(folder, 'latin1.md')
    await writeFile(file, Buffer.from([0x66, 0xfc, 0x72]))
    const { exitCode, stderr } = await typed(['run', '--repo', '.', '--prompt-file', file])
    expect([exitCode, stderr]).toEqual([2, 'nightshift: --prompt-file: must be UTF-8 text\n'])
  })

  it('may not be folders', async () => {
    const { exitCode, stderr } = await typed(['run', '--repo', '.', '--prompt-file', folder])
    expect([exitCode, stderr.includes('it is a folder')]).toEqual([2, true])
  })
})
