import { packageJson } from './tricks.ts'
import { symlink, type Files } from './work-of.ts'

/** Changes that look odd and must pass. */
export const honest: [what: string, change: Files][] = [
  ['code', { 'src/a.ts': 'export const a = 2\n', 'src/ß.ts': '', 'src/a b.ts': '', 'src/[id].ts': '' }],
  ['more tests', { 'test/b.test.ts': "test('b', () => { expect(b).toBe(2) })\n" }],
  ['a dependency', packageJson({ version: '2.0.0', dependencies: { zod: '^4.0.0' } })],
  [
    'a Rust member of a workspace',
    { 'Cargo.toml': '[package]\nname = "x"\n\n[dependencies]\nserde = "2"\ncore = { path = "core" }\n' },
  ],
  ['Python requirements', { 'requirements.txt': 'pytest==9\nflask>=3 --hash=sha256:00\n' }],
  [
    'a Go requirement',
    { 'go.mod': 'module x\n\nrequire (\n\texample.org/testify v1.1.0\n\texample.org/y v1.0.0\n)\n' },
  ],
  [
    'a package more in the lock file',
    {
      'package-lock.json': JSON.stringify({
        packages: {
          'node_modules/vitest': { resolved: 'https://registry.example.org/vitest-2.tgz' },
          'node_modules/@x/core': { resolved: 'packages/core', link: true },
          'node_modules/zod': { resolved: 'https://registry.example.org/zod.tgz' },
        },
      }),
    },
  ],
  [
    'a description with an address',
    {
      'pyproject.toml':
        '[project]\nname = "x"\nauthors = [{name = "A", email = "a@example.org"}]\n\n[tool.ruff]\nselect = ["ALL"]\n',
    },
  ],
  [
    'fixtures beside a hook of pytest',
    {
      'lib/conftest.py':
        '# pytest_runtest_call\nimport pytest\n\ndef pytest_collection_modifyitems(items):\n    items.sort()\n\n\n@pytest.fixture\ndef one():\n    return 1\n',
    },
  ],
  [
    'a source and a test more for CMake',
    {
      'lib/CMakeLists.txt':
        'add_library(x x.c y.c)\nenable_testing()\nadd_test(NAME a COMMAND a)\nadd_test(NAME b COMMAND b) # new\n',
    },
  ],
  ['tasks of a queue', { 'lib/tasks.py': 'from celery import task\n', 'src/tasks.py': '' }],
  [
    'a project more for Nx',
    {
      'lib/project.json': '{"targets":{"test":{}}}',
      'src/project.json': '{"name":"b","targets":{"test":{"executor":"jest"}}}',
    },
  ],
  [
    'the first dependency of a Gradle build',
    { 'lib/build.gradle': 'plugins { id "java" }\n\ndependencies {\n  implementation "a:b:2"\n}\n' },
  ],
  [
    'the first dependencies of a package',
    { 'lib/package.json': '{"name":"x","dependencies":{"a":"^1.0.0"}}' },
  ],
  ['what lies behind a link', { 'lib/real/x.ts': 'y', 'src/open/y.ts': '' }],
  [
    'a Python dependency',
    {
      'pyproject.toml':
        '[project]\nname = "x"\ndependencies = [\n  "zod",\n]\n\n[tool.ruff]\nselect = ["ALL"] # all\n'.replace(
          ' # all',
          '',
        ),
    },
  ],
  [
    'a Rust dependency',
    {
      'Cargo.toml':
        '[package]\nname = "x"\nversion = "2"\n\n[dependencies]\nserde = "1"\nlog = { version = "1" }\n',
    },
  ],
  [
    'a Java dependency',
    {
      'pom.xml':
        '<project><version>2</version><dependencies><dependency><groupId>a</groupId></dependency></dependencies><build><plugins></plugins></build></project>',
    },
  ],
  [
    'a comment in a Maven build',
    {
      'pom.xml':
        '<project><version>1</version><!-- why --><dependencies></dependencies><build><plugins></plugins></build></project>',
    },
  ],
  [
    'a Gradle dependency',
    {
      'build.gradle':
        'plugins { id "java" }\ndependencies {\n  implementation "a:b:2"\n  testImplementation("c:d:1")\n}\ntest { useJUnitPlatform() }\n',
    },
  ],
  [
    'a link inside',
    { 'src/x': symlink('../docs/y'), 'src/y': symlink('link/deep/x'), 'lib/z': symlink('./a/../b') },
  ],
  ['a link that leaves on paper only', { 'src/x': symlink('y/../../../z'), 'src/y': symlink('lib/deep') }],
  [
    'a file named like a folder of git',
    { 'src/git.ts': '', 'src/.github': '', 'src/gitignore': '', 'docs/.gitkeep': '' },
  ],
  ['dots that lead nowhere', { 'src/...slug.ts': '', 'src/a..b': '', 'src/..a': '', 'src/:memory:': '' }],
]
