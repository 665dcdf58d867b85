import { executable, submodule, symlink, type Files } from './work-of.ts'

const frontMatter = {
  content: [{ files: 'docs/**/*.md', frontMatter: { title: 'string', updated: 'YYYY-MM-DD HH:MM' } }],
}
const page = (title: string, updated: string) => ({
  'docs/a.md': `---\ntitle: ${title}\nupdated: ${updated}\n---\ntext\n`,
})

/** A change that breaks a rule, and one that nearly does. */
export interface Case {
  readonly rule: string
  readonly policy: unknown
  readonly base?: Files
  readonly broken: Files
  /** What the violations are: rule, file and line. */
  readonly found: readonly string[]
  readonly nearMiss: Files
}

/** One for each rule, at the least. */
export const cases: readonly Case[] = [
  {
    rule: 'allow',
    policy: { allow: ['src/**'] },
    broken: { 'srcs/a.ts': '' },
    found: ['allow srcs/a.ts'],
    nearMiss: { 'src/a.ts': '' },
  },
  {
    rule: 'allow, for a deletion',
    policy: { allow: ['src/**'] },
    base: { 'a.md': 'x' },
    broken: {},
    found: ['allow a.md'],
    nearMiss: { 'a.md': 'x' },
  },
  {
    rule: 'allow nothing',
    policy: { allow: [] },
    base: { a: '1' },
    broken: { a: '2' },
    found: ['allow a'],
    nearMiss: { a: '1' },
  },
  {
    rule: 'deny',
    policy: { deny: ['**/*.lock'] },
    broken: { 'a/b.lock': '' },
    found: ['deny a/b.lock'],
    nearMiss: { 'a/b.lock.ts': '' },
  },
  {
    rule: 'deny, for both sides of a rename',
    policy: { deny: ['secret/**'] },
    base: { 'secret/a': 'x' },
    broken: { 'open/a': 'x' },
    found: ['deny secret/a'],
    nearMiss: { 'secret/a': 'x', 'open/a': 'x' },
  },
  {
    rule: 'deny, for a change of mode alone',
    policy: { deny: ['run.sh'] },
    base: { 'run.sh': 'x' },
    broken: { 'run.sh': executable('x') },
    found: ['deny run.sh'],
    nearMiss: { 'run.sh': 'x' },
  },
  {
    rule: 'maxFiles',
    policy: { maxFiles: 2 },
    broken: { a: '', b: '', c: '' },
    found: ['maxFiles'],
    nearMiss: { a: '', b: '' },
  },
  {
    rule: 'maxLines',
    policy: { maxLines: 2 },
    broken: { a: '1\n2\n3\n' },
    found: ['maxLines'],
    nearMiss: { a: '1\n2\n' },
  },
  {
    rule: 'maxFileBytes',
    policy: { maxFileBytes: 4 },
    broken: { a: '12345' },
    found: ['maxFileBytes a'],
    nearMiss: { a: '1234' },
  },
  {
    rule: 'maxFileBytes, for a binary file',
    policy: { maxFileBytes: 4 },
    broken: { a: '1\0abc' },
    found: ['maxFileBytes a'],
    nearMiss: { a: '1\0ab' },
  },
  {
    rule: 'binary',
    policy: { binary: 'deny' },
    base: { b: 'x\0' },
    broken: { a: 'a\0b', b: 'x\0' },
    found: ['binary a'],
    nearMiss: { a: 'ab' },
  },
  {
    rule: 'binary, where git sees text',
    policy: { binary: 'deny' },
    base: { stray: 'x\x01\n' },
    broken: {
      late: `${'a'.repeat(9000)}\0`,
      long: `${'a'.repeat(300_000)}\x02`,
      gzip: '\x1f\x8b\x08abcdef',
      elf: '\x7fELFabcdef',
      stray: 'x\x01\n',
    },
    found: ['binary elf', 'binary gzip', 'binary late', 'binary long'],
    nearMiss: {
      latin: Buffer.from('gr\u00fc\u00dfe\t\r\n', 'latin1'),
      colours: '\u001b[31mred\u001b[0m\f',
      long: 'a'.repeat(300_000),
      stray: 'y\x01\n',
    },
  },
  {
    rule: 'binary, as UTF-16',
    policy: { binary: 'deny' },
    broken: { a: Buffer.from('\ufeffabc', 'utf16le') },
    found: ['binary a'],
    nearMiss: { a: '\ufeffabc' },
  },
  {
    rule: 'submodules',
    policy: {},
    broken: { lib: submodule },
    found: ['submodules lib'],
    nearMiss: { 'lib/a': '' },
  },
  {
    rule: 'submodules, by their file',
    policy: {},
    broken: { '.gitmodules': 'x' },
    found: ['submodules .gitmodules'],
    nearMiss: { 'docs/gitmodules': 'x' },
  },
  {
    rule: 'executable',
    policy: { executable: 'deny' },
    base: { old: executable('1') },
    broken: { old: executable('1'), run: executable('') },
    found: ['executable run'],
    nearMiss: { old: executable('2') },
  },
  {
    rule: 'symlinks deny',
    policy: { symlinks: 'deny' },
    broken: { a: symlink('b'), b: '' },
    found: ['symlinks a'],
    nearMiss: { a: '', b: '' },
  },
  {
    rule: 'symlinks inside',
    policy: {},
    broken: { 'x/a': symlink('../../b') },
    found: ['symlinks x/a'],
    nearMiss: { 'x/a': symlink('../b') },
  },
  {
    rule: 'content, a front matter',
    policy: frontMatter,
    broken: page('One', '2024-02-30 10:00'),
    found: ['content docs/a.md 3'],
    nearMiss: page('One', '2024-02-29 10:00'),
  },
  {
    rule: 'content, no new file',
    policy: { content: [{ files: '*.md', onlyExisting: true }] },
    base: { 'README.md': 'a' },
    broken: { 'README.md': 'a', 'NOTES.md': '' },
    found: ['content NOTES.md'],
    nearMiss: { 'README.md': 'b', 'docs/NOTES.md': '' },
  },
  {
    rule: 'content, a required pattern',
    policy: { content: [{ files: '**/*.ts', required: '^// Copyright' }] },
    broken: { 'a.ts': 'x' },
    found: ['content a.ts'],
    nearMiss: { 'a.ts': '#!x\n// Copyright' },
  },
  {
    rule: 'content, a forbidden pattern',
    policy: { content: [{ files: '**/*.ts', forbidden: 'console\\.log' }] },
    broken: { 'a.ts': 'x\nconsole.log()' },
    found: ['content a.ts 2'],
    nearMiss: { 'a.ts': 'consoleXlog' },
  },
  {
    rule: 'protect, its own globs',
    policy: { protect: ['tools/**'] },
    base: { 'tools/a': '1' },
    broken: { 'tools/a': '2' },
    found: ['protect tools/a'],
    nearMiss: { 'tools/a': '1', '.github/workflows/x.yml': '' },
  },
  {
    rule: 'protect, the file itself always',
    policy: { protect: [] },
    base: {},
    broken: { '.nightshift.yaml': '' },
    found: ['protect .nightshift.yaml'],
    nearMiss: { 'docs/nightshift.yaml': '' },
  },
]
