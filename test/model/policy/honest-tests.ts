import { honestNodeTests } from './honest-node-tests.ts'
import { sources } from './test-edits.ts'
import type { Files } from './work-of.ts'

const { py, go, rust, java } = sources
const goTest = (body: string) => `package x\n\nimport "testing"\n\nfunc TestRead(t *testing.T) {\n${body}}\n`
const pyTest = (body: string) => `import os\n\n\ndef test_one():\n${body}`

/** Everyday changes of tests in other languages. */
const others: [what: string, base: Files, head: Files][] = [
  [
    'Go: a reader skips bytes',
    {},
    { 'a_test.go': goTest('\tr := open()\n\tr.Skip(4)\n\tassert.Equal(t, 1, r.Next())\n') },
  ],
  [
    'Go: a decoder skips a value',
    { 'a_test.go': goTest('\td := open()\n\tassert.Equal(t, 1, d.Next())\n') },
    { 'a_test.go': goTest('\td := open()\n\td.Skip()\n\tassert.Equal(t, 1, d.Next())\n') },
  ],
  [
    'Go: an error of a skip is looked at',
    {},
    { 'a_test.go': goTest('\tif err := dec.Skip(); err != nil {\n\t\tt.Fatal(err)\n\t}\n') },
  ],
  [
    'Python: a teardown that may fail',
    { 'tests/test_a.py': pyTest('    assert one() == 1\n') },
    {
      'tests/test_a.py': pyTest(
        '    assert one() == 1\n\n\ndef teardown_module():\n    try:\n        os.remove("x")\n    except Exception:\n        pass\n',
      ),
    },
  ],
  [
    'Python: a fixture that tidies up',
    { 'tests/conftest.py': 'import pytest\n' },
    {
      'tests/conftest.py':
        'import pytest\n\n\n@pytest.fixture\ndef server():\n    s = start()\n    yield s\n    try:\n        s.stop()\n    except:\n        pass\n',
    },
  ],
  [
    'Python: a wait that tries again',
    { 'tests/test_a.py': pyTest('    assert one() == 1\n') },
    {
      'tests/test_a.py': pyTest(
        '    for _ in range(3):\n        try:\n            connect()\n            break\n        except Exception:\n            pass\n    assert one() == 1\n',
      ),
    },
  ],
  [
    'Python: a test is renamed',
    { 'tests/test_a.py': py },
    { 'tests/test_a.py': py.replace('test_adds', 'test_adds_two_numbers') },
  ],
  ['Python: a file moves', { 'tests/test_a.py': py }, { 'tests/unit/test_sums.py': py }],
  [
    'Python: a test moves into a class',
    { 'tests/test_a.py': py },
    {
      'tests/test_a.py': py.replace(
        'def test_adds():\n    assert',
        'class TestAdds:\n    def test_adds(self):\n        assert',
      ),
    },
  ],
  [
    'Python: a test gets parameters',
    { 'tests/test_a.py': py },
    {
      'tests/test_a.py': py.replace(
        'def test_adds():\n    assert add(1, 2) == 3',
        '@pytest.mark.parametrize("a, b, sum", [(1, 2, 3), (2, 2, 4)])\ndef test_adds(a, b, sum):\n    assert add(a, b) == sum',
      ),
    },
  ],
  [
    'Python: unittest becomes pytest',
    { 'tests/test_a.py': py },
    { 'tests/test_a.py': py.replace('self.assertEqual(add(n, 0), n)', 'assert add(n, 0) == n') },
  ],
  [
    'Python: the message of an exit is looked at',
    { 'tests/test_a.py': py },
    {
      'tests/test_a.py': `${py}\n\ndef test_exit():\n    with pytest.raises(SystemExit) as end:\n        main()\n    assert end.value.code == 2\n`,
    },
  ],
  [
    'Python: sys.exit is patched',
    { 'tests/test_a.py': py },
    {
      'tests/test_a.py': `${py}\n\ndef test_exit(monkeypatch):\n    monkeypatch.setattr(sys, "exit", lambda code: None)\n    assert main() == 2\n`,
    },
  ],
  [
    'Python: a file is run as a program',
    { 'tests/test_a.py': py },
    { 'tests/test_a.py': `${py}\n\nif __name__ == "__main__":\n    sys.exit(pytest.main([__file__]))\n` },
  ],
  [
    'Python: a class of data',
    { 'tests/test_a.py': py },
    { 'tests/test_a.py': `${py}\n\nclass Fake:\n    def __init__(self, n):\n        self.n = n\n` },
  ],
  [
    'Python: options of the run',
    { 'tests/conftest.py': 'import pytest\n' },
    {
      'tests/conftest.py':
        'import pytest\n\n\ndef pytest_addoption(parser):\n    parser.addoption("--slow", action="store_true")\n',
    },
  ],
  [
    'Python: an iterator skips',
    { 'tests/test_a.py': py },
    { 'tests/test_a.py': py.replace('    assert add(1, 2)', '    reader.skip(4)\n    assert add(1, 2)') },
  ],
  [
    'Go: tests become a table',
    { 'a_test.go': goTest('\tif one() != 1 {\n\t\tt.Fatal("not 1")\n\t}\n') },
    {
      'a_test.go': goTest(
        '\tfor _, tc := range []struct{ in, want int }{{1, 1}, {2, 2}} {\n\t\tt.Run("x", func(t *testing.T) {\n\t\t\tif f(tc.in) != tc.want {\n\t\t\t\tt.Fatal("not it")\n\t\t\t}\n\t\t})\n\t}\n',
      ),
    },
  ],
  [
    'Go: testify comes in',
    { 'a_test.go': go },
    {
      'a_test.go': go.replace(
        'if add(1, 2) != 3 {\n\t\t\tt.Fatal("not 3")\n\t\t}',
        'require.Equal(t, 3, add(1, 2))',
      ),
    },
  ],
  [
    'Go: cleaning up',
    { 'a_test.go': go },
    {
      'a_test.go': go.replace('\tassert.Equal', '\tt.Cleanup(func() { _ = os.Remove("x") })\n\tassert.Equal'),
    },
  ],
  [
    'Go: a helper with an error',
    { 'a_test.go': go },
    {
      'a_test.go': go.replace(
        'func TestSub',
        'func run(m *testing.M) int {\n\tdefer stop()\n\treturn m.Run()\n}\n\nfunc TestMain(m *testing.M) {\n\tos.Exit(run(m))\n}\n\nfunc TestSub',
      ),
    },
  ],
  [
    'Rust: tests move into a file of their own',
    { 'src/sum.rs': rust },
    {
      'src/sum.rs':
        'pub fn add(a: i32, b: i32) -> i32 { assert!(a > 0); a + b }\n\n#[cfg(test)]\nmod tests;\n',
      'src/sum/tests.rs': rust.slice(rust.indexOf('    use super'), rust.lastIndexOf('}')),
    },
  ],
  [
    'Rust: code for one system beside the tests',
    { 'src/sum.rs': rust },
    { 'src/sum.rs': rust.replace('pub fn add', '#[cfg(unix)]\npub fn unix() {}\npub fn add') },
  ],
  [
    'Rust: code for one system in a file of tests only',
    { 'tests/a.rs': '#[test]\nfn a() { assert!(x()); }\n' },
    { 'tests/a.rs': '#[test]\nfn a() { assert!(x()); }\n#[cfg(unix)]\n#[test]\nfn u() { assert!(y()); }\n' },
  ],
  [
    'Java: a test is renamed',
    { 'src/test/java/SumTest.java': java },
    { 'src/test/java/SumTest.java': java.replace('void adds()', 'void addsTwo()') },
  ],
  [
    'Java: a stream skips',
    { 'src/test/java/SumTest.java': java },
    { 'src/test/java/SumTest.java': java.replace('assertEquals(3', 'in.skip(4);\n        assertEquals(3') },
  ],
  [
    'Java: JUnit 4 becomes 5',
    { 'src/test/java/SumTest.java': java.replace('@Test', '@org.junit.Test') },
    { 'src/test/java/SumTest.java': java },
  ],
  [
    'Java: tidying up that may fail',
    { 'src/test/java/SumTest.java': java },
    {
      'src/test/java/SumTest.java': java.replace(
        '    @ParameterizedTest',
        '    @AfterEach\n    void close() {\n        try { server.stop(); } catch (Exception ignored) { }\n    }\n\n    @ParameterizedTest',
      ),
    },
  ],
  [
    'Java: a factory beside the tests',
    { 'src/test/java/SumTest.java': java },
    {
      'src/test/java/SumTest.java': java.replace(
        '    @ParameterizedTest',
        '    private static Sum sum() {\n        return new Sum();\n    }\n\n    @ParameterizedTest',
      ),
    },
  ],

  [
    'Python: a new test that runs on some systems only',
    { 'tests/test_a.py': py },
    {
      'tests/test_a.py': `${py}\n\n@pytest.mark.skipif(\n    sys.platform == "win32",\n    reason="x",\n)\ndef test_new():\n    assert add(0, 0) == 0\n\n\ndef test_other():\n    if not shutil.which("sed"):\n        pytest.skip("x")\n    assert sed()\n`,
    },
  ],
  [
    'Python: a new test of a command that ends',
    { 'tests/test_a.py': py },
    {
      'tests/test_a.py': `${py}\n\ndef test_new(runner):\n    @command()\n    def cli():\n        raise SystemExit(1)\n\n    assert runner.invoke(cli).exit_code == 1\n`,
    },
  ],
  [
    'Go: a new test that runs on some systems only',
    { 'a_test.go': go },
    {
      'a_test.go': `${go}\nfunc TestNew(t *testing.T) {\n\tif runtime.GOOS == "windows" {\n\t\tt.Skip("x")\n\t}\n\tassert.Equal(t, 0, add(0, 0))\n}\n`,
    },
  ],
  [
    'Rust: a new test that runs on some systems only',
    { 'src/sum.rs': rust },
    {
      'src/sum.rs': rust.replace(
        '    #[tokio::test]',
        '    #[test]\n    #[cfg(windows)]\n    fn new() { assert!(add(1, 0) == 1); }\n\n    #[cfg(windows)]\n    #[test]\n    fn newer() { assert!(std::panic::catch_unwind(|| add(-1, 0)).is_err()); }\n\n    #[cfg(any(feature = "x", test))]\n    fn help() {}\n\n    #[tokio::test]',
      ),
    },
  ],
  [
    'Java: new tests with assumptions, and of errors',
    { 'src/test/java/SumTest.java': java },
    {
      'src/test/java/SumTest.java': `import static org.junit.Assume.assumeTrue;\n${java.replace(
        '    @ParameterizedTest',
        '    @Test\n    void newer() {\n        assumeTrue(isLinux());\n        assertThrows(AssertionError.class, () -> add(null, 1));\n    }\n\n    @EnabledOnOs(OS.LINUX)\n    @Test\n    void newest() {\n        assertEquals(0, add(0, 0));\n    }\n\n    @ParameterizedTest',
      )}`,
    },
  ],
]

/** Everyday changes of tests that hold as much afterwards. */
export const honestTests = [...honestNodeTests, ...others]
