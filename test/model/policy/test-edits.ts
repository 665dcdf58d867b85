/** One file of tests in each language. */
export const js = `import { expect, it } from 'vitest'
describe('sums', () => {
  it('adds', () => {
    expect(add(1, 2)).toBe(3)
    expect(add(2, 2)).toBe(4)
  })
  it("takes away", async () => {
    await expect(sub(2, 1)).resolves.toBe(1)
  })
})
`
const py = `import pytest

def test_adds():
    assert add(1, 2) == 3

class TestMore:
    @pytest.mark.parametrize("n", [1, 2])
    def test_more(self, n):
        self.assertEqual(add(n, 0), n)
`
const go = `package sums

import "testing"

func TestAdd(t *testing.T) {
	t.Run("small", func(t *testing.T) {
		if add(1, 2) != 3 {
			t.Fatal("not 3")
		}
	})
}

func TestSub(t *testing.T) {
	assert.Equal(t, 1, sub(2, 1))
}
`
const rust = `pub fn add(a: i32, b: i32) -> i32 { assert!(a > 0); a + b }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds() {
        assert_eq!(add(1, 2), 3);
    }

    #[tokio::test]
    async fn adds_later() {
        assert!(later(1).await > 0, "not {}", 'x');
    }
}
`
const java = `class SumTest {
    @Test
    void adds() {
        assertEquals(3, add(1, 2));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void addsMore(int n) {
        assertThat(add(n, 0)).isEqualTo(n);
    }
}
`
export const files = {
  js: 'test/sum.test.ts',
  py: 'tests/test_sum.py',
  go: 'sum_test.go',
  rust: 'src/sum.rs',
  java: 'src/test/java/SumTest.java',
}
export const sources = { js, py, go, rust, java }
/** A language, by the name of its file. */
export type Kind = keyof typeof files

/** One edit of such a file: `from` becomes `to`. */
export type Edit = [kind: Kind, what: string, from: string | RegExp, to: string]

/** Edits after which the tests hold less. */
export const weaker: Edit[] = [
  ['js', 'a test returns before it asks', '    expect(add(2, 2))', '    return\n    expect(add(2, 2))'],
  ['js', 'the process is ended by an optional call', "describe('sums'", "process?.exit(0)\ndescribe('sums'"],
  [
    'js',
    'the way to end the process is imported',
    "describe('sums'",
    "import { exit } from 'node:process'\ndescribe('sums'",
  ],
  [
    'js',
    'a comment is ended by another line end',
    "  it('adds'",
    "  // fine\u2028 it.skip('other', () => {})\n  it('adds'",
  ],
  [
    'py',
    'a test returns before it asks',
    '    assert add(1, 2) == 3',
    '    add(1, 2)\n    return\n    assert add(1, 2) == 3',
  ],
  [
    'py',
    'a test is skipped by a letter that only looks another',
    'def test_adds',
    '@pytest.mark.\u017fkip\ndef test_adds',
  ],
  [
    'py',
    'a test is skipped on a line that goes on',
    'def test_adds',
    '@pytest.mark.\\\n  xfail\ndef test_adds',
  ],
  [
    'py',
    'a class is no test any more, from outside',
    'class TestMore:',
    'test_adds.__test__ = False\nclass TestMore:',
  ],
  ['py', 'an assertion asks a tuple', 'assert add(1, 2) == 3', "assert (add(1, 2) == 3, 'sum')"],
  [
    'py',
    'a report is changed',
    'class TestMore:',
    'def pytest_runtest_logreport(report):\n    report.outcome = 1\nclass TestMore:',
  ],
  [
    'go',
    'a test is skipped by a method of a value in parentheses',
    '\tassert.Equal',
    '\t(t).Skip("x")\n\tassert.Equal',
  ],
  ['go', 'a test is skipped on two lines', '\tassert.Equal', '\tt.\n\t\tSkip()\n\tassert.Equal'],
  [
    'go',
    'a test skips itself by another name',
    '\tassert.Equal',
    '\tgo2 := t.SkipNow\n\tgo2()\n\tassert.Equal',
  ],
  ['go', 'a file is left out, behind a space', 'package sums', ' //go:build never\n\npackage sums'],
  ['go', 'a test becomes a method', 'func TestSub(', 'func (z) TestSub('],
  ['go', 'a test returns before it asks', '\tassert.Equal', '\tt.Log(1)\n\treturn\n\tassert.Equal'],
  [
    'java',
    'a test is left out by the version',
    '    @Test\n',
    '    @EnabledForJreRange(min = JRE.JAVA_99)\n    @Test\n',
  ],
  [
    'java',
    'a test aborts itself',
    'assertEquals(3, add(1, 2));',
    'if (add(1, 2) != 3) throw new TestAbortedException(); assertEquals(3, add(1, 2));',
  ],
  ['js', 'a test is skipped', "it('adds'", "it.skip('adds'"],
  ['js', 'a test is skipped by brackets', "it('adds'", "it['skip']('adds'"],
  ['js', 'a test is skipped by an escaped letter', "it('adds'", "it.sk\\u0069p('adds'"],
  ['js', 'a test is skipped with a comment between', "it('adds'", "it./* */skip('adds'"],
  ['js', 'a test is skipped by an optional call', "it('adds'", "it?.skip('adds'"],
  ['js', 'a test is skipped behind a cast', "it('adds'", "(it as Test).skip('adds'"],
  ['js', 'a test is skipped by a name worked out', "it('adds'", "it['sk' + 'ip']('adds'"],
  ['js', 'a test runs alone by its options', "it('adds', ", "it('adds', { timeout: 5, only: true }, "],
  ['js', 'a group is skipped', "describe('sums'", "describe.skip('sums'"],
  ['js', 'a group is skipped by an optional call', "describe('sums'", "describe?.skip('sums'"],
  ['js', 'a test is skipped with a condition', "it('adds'", "it.skipIf(true)('adds'"],
  ['js', 'a test is to be done', "it('adds'", "it.todo('adds')\n  it('other'"],
  ['js', 'a test is expected to fail', "it('adds'", "it.fails('adds'"],
  ['js', 'a test is skipped by its options', "it('adds', ", "it('adds', { skip: true }, "],
  ['js', 'a test is skipped by another name', "describe('sums'", "const later = it\ndescribe('sums'"],
  ['js', 'skip is taken apart from its test', "describe('sums'", "const { skip } = it\ndescribe('sums'"],
  ['js', 'a test runs alone', "it('adds'", "it.only('adds'"],
  ['js', 'a test runs alone, the short way', "it('adds'", "fit('adds'"],
  ['js', 'a test is skipped, the short way', "it('adds'", "xit('adds'"],
  [
    'js',
    'a test skips itself',
    '    expect(add(1, 2)).toBe(3)\n',
    '    this.skip()\n    expect(add(1, 2)).toBe(3)\n',
  ],
  ['js', 'a test is in a comment', /( {2}it\('adds'[\s\S]*?\n {2}\}\))/, '/*$1*/'],
  ['js', 'a test is in line comments', "  it('adds', () => {", "  // it('adds', () => {"],
  ['js', 'a test is in a string', /( {2}it\('adds'[\s\S]*?\n {2}\}\))/, 'void `$1`'],
  ['js', 'a test is gone', / {2}it\('adds'[\s\S]*?\n {2}\}\)\n/, ''],
  ['js', 'a test is emptied', /expect\(add[^\n]*\n/g, '\n'],
  ['js', 'an assertion is gone', '    expect(add(2, 2)).toBe(4)\n', ''],
  ['js', 'an assertion asks nothing', 'expect(add(2, 2)).toBe(4)', 'expect(add(2, 2))'],
  ['js', 'an assertion is always true', 'expect(add(2, 2)).toBe(4)', 'expect(true).toBe(true)'],
  [
    'js',
    'an assertion compares a thing with itself',
    'expect(add(2, 2)).toBe(4)',
    'expect(add(2, 2)).toBe(add(2, 2))',
  ],
  [
    'js',
    'an assertion has a way out',
    'expect(add(2, 2)).toBe(4)',
    'expect(add(2, 2) === 4 || true).toBe(true)',
  ],
  ['js', 'an assertion is in a comment', 'expect(add(2, 2)).toBe(4)', '// expect(add(2, 2)).toBe(4)'],
  ['js', 'an assertion is in a string', 'expect(add(2, 2)).toBe(4)', '"expect(add(2, 2)).toBe(4)"'],
  [
    'js',
    'a test is renamed and stripped',
    /it\('adds'[\s\S]*?\n {2}\}\)/,
    "it('sums up', () => {\n    expect(add(1, 2)).toBe(3)\n  })",
  ],
  ['js', 'the process ends before the tests', "describe('sums'", "process.exit(0)\ndescribe('sums'"],
  ['js', 'a test returns at once', "'adds', () => {", "'adds', () => {\n    return"],
  ['js', 'a test is behind a false', "  it('adds'", "  if (false) it('adds'"],
  ['js', 'the file is emptied', /[\s\S]*/, ''],
  ['js', 'the file is in another encoding', /[\s\S]/g, '$&\0'],
  ['js', 'a test has no cases any more', "it('adds'", "it.each([])('adds'"],
  ['js', 'skip comes in under the name of a test', 'import { expect, it }', 'import { skip as it }'],
  ['js', 'the runner is made anew', "describe('sums'", "const it = (title, run) => {}\ndescribe('sums'"],
  [
    'js',
    'the assertions are made anew',
    "describe('sums'",
    "function expect() { return fake }\ndescribe('sums'",
  ],
  [
    'js',
    'the runner is put in place of the other',
    "describe('sums'",
    "globalThis.it = fake\ndescribe('sums'",
  ],
  [
    'js',
    'a matcher is made anew',
    "describe('sums'",
    "expect.extend({ toBe() { return fine } })\ndescribe('sums'",
  ],
  ['js', 'a test is behind a condition', "  it('adds'", "  if (process.env.NEVER) it('adds'"],
  ['js', 'a test is behind another value', "  it('adds'", "  never && it('adds'"],
  [
    'js',
    'a failure is caught and forgotten',
    'expect(add(2, 2)).toBe(4)',
    'try { expect(add(2, 2)).toBe(4) } catch {}',
  ],
  [
    'js',
    'a failure is what is expected',
    'expect(add(2, 2)).toBe(4)',
    'expect(() => { expect(add(2, 2)).toBe(5) }).toThrow()',
  ],
  ['js', 'the exit code is set', "describe('sums'", "process.exitCode = 0\ndescribe('sums'"],
  ['py', 'a test has no cases any more', '"n", [1, 2]', '"n", []'],
  ['py', 'a test becomes a fixture', 'def test_adds', '@pytest.fixture\ndef test_adds'],
  ['py', 'a class is renamed to what no runner finds', 'class TestMore', 'class More'],
  [
    'py',
    'a class gets a constructor, so that it is not collected',
    'class TestMore:',
    'class TestMore:\n    def __init__(self):\n        pass\n',
  ],
  [
    'py',
    'a test stands in a function that nobody calls',
    'def test_adds():\n    assert',
    'def never():\n  def test_adds():\n    assert',
  ],
  [
    'py',
    'a test stands under a condition',
    'def test_adds():\n    assert',
    'if never:\n  def test_adds():\n    assert',
  ],
  ['py', 'a test is made anew below', 'class TestMore', 'def test_adds():\n    pass\n\nclass TestMore'],
  ['py', 'a test becomes something else below', 'class TestMore', 'test_adds = 1\n\nclass TestMore'],
  [
    'py',
    'a failure is caught and forgotten',
    'assert add(1, 2) == 3',
    'try:\n        assert add(1, 2) == 3\n    except AssertionError:\n        pass',
  ],
  [
    'py',
    'a failure is suppressed',
    'assert add(1, 2) == 3',
    'with suppress(AssertionError):\n        assert add(1, 2) == 3',
  ],
  [
    'py',
    'a failure is what is expected',
    'assert add(1, 2) == 3',
    'with pytest.raises(AssertionError):\n        assert add(1, 2) == 4',
  ],
  [
    'py',
    'the session ends well whatever happens',
    'def test_adds',
    'def pytest_sessionfinish(session):\n    session.exitstatus = 0\n\ndef test_adds',
  ],
  ['go', 'a test is renamed to what only looks like one', 'func TestSub', 'func Testsub'],
  ['go', 'the tests are never run', 'func TestAdd', 'func TestMain(m *testing.M) {\n}\n\nfunc TestAdd'],
  [
    'go',
    'the result is multiplied away',
    'func TestAdd',
    'func TestMain(m *testing.M) {\n\tos.Exit(m.Run() & 0)\n}\n\nfunc TestAdd',
  ],
  ['rust', 'a failure is what is expected', '#[test]', '#[test]\n    #[should_panic]'],
  ['rust', 'the assertions are made anew', 'use super::*;', 'macro_rules! assert_eq { ($($x:tt)*) => {} }'],
  ['java', 'a test is private, so that it is not run', 'void adds()', 'private void adds()'],
  ['java', 'a class is abstract, so that it is not run', 'class SumTest', 'abstract class SumTest'],
  [
    'java',
    'a failure is caught and forgotten',
    'assertEquals(3, add(1, 2));',
    'try { assertEquals(3, add(1, 2)); } catch (AssertionError e) {}',
  ],
  [
    'java',
    'a failure is what is expected',
    'assertEquals(3, add(1, 2));',
    'assertThrows(AssertionError.class, () -> assertEquals(4, add(1, 2)));',
  ],
  ['py', 'a test is skipped', 'def test_adds', '@pytest.mark.skip\ndef test_adds'],
  ['py', 'a test may fail', 'def test_adds', '@pytest.mark.xfail(reason="x")\ndef test_adds'],
  ['py', 'a class is skipped', 'class TestMore', '@unittest.skip("x")\nclass TestMore'],
  ['py', 'a whole file is skipped', 'import pytest', 'import pytest\npytestmark = pytest.mark.skip'],
  [
    'py',
    'a test skips itself',
    '    assert add(1, 2) == 3',
    '    pytest.skip("x")\n    assert add(1, 2) == 3',
  ],
  ['py', 'a test is not collected', 'class TestMore:', 'class TestMore:\n    __test__ = False'],
  ['py', 'a test is renamed to what no runner finds', 'def test_adds', 'def check_adds'],
  ['py', 'a test is in a string', /(def test_adds[\s\S]*?== 3\n)/, "'''\n$1'''\n"],
  ['py', 'a test is deleted after it was made', 'class TestMore', 'del test_adds\n\nclass TestMore'],
  ['py', 'an assertion is always true', 'assert add(1, 2) == 3', 'assert True, "x"'],
  ['py', 'an assertion has a way out', 'assert add(1, 2) == 3', 'assert add(1, 2) == 3 or True'],
  [
    'py',
    'an assertion compares a thing with itself',
    'self.assertEqual(add(n, 0), n)',
    'self.assertEqual(n, n)',
  ],
  ['py', 'a test is emptied', 'assert add(1, 2) == 3', 'pass'],
  ['go', 'a test is skipped', 't.Fatal("not 3")', 't.Skip("later")\n\t\t\tt.Fatal("not 3")'],
  ['go', 'a file is left out by a build tag', 'package sums', '//go:build ignore\n\npackage sums'],
  ['go', 'a test is renamed to what no runner finds', 'func TestSub', 'func testSub'],
  ['go', 'a test is emptied', 'assert.Equal(t, 1, sub(2, 1))', '_ = sub(2, 1)'],
  ['go', 'a failure is only told', 't.Fatal(', 't.Log('],
  ['go', 'a subtest is gone', /\tt\.Run\("small"[\s\S]*?\n\t\}\)\n/, ''],
  ['go', 'a test returns at once', 'func TestSub(t *testing.T) {', 'func TestSub(t *testing.T) {\n\treturn'],
  ['rust', 'a test is ignored', '#[test]', '#[test]\n    #[ignore]'],
  ['rust', 'a test is ignored by a condition', '#[test]', '#[test]\n    #[cfg_attr(all(), ignore)]'],
  ['rust', 'a test is left out', '#[test]', '#[test]\n    #[cfg(any())]'],
  ['rust', 'a test is no test any more', '#[tokio::test]', ''],
  ['rust', 'a test is in a nested comment', /(#\[test\][\s\S]*?\n {4}\}\n)/, '/* /* */ $1 */'],
  ['rust', 'a test is emptied', 'assert_eq!(add(1, 2), 3);', 'let _ = add(1, 2);'],
  ['rust', 'an assertion is always true', 'assert_eq!(add(1, 2), 3);', 'assert_eq!(3, 3);'],
  ['java', 'a test is disabled', '    @Test', '    @Disabled\n    @Test'],
  ['java', 'a test is disabled by an escaped letter', '    @Test', '    \\u0040Disabled\n    @Test'],
  ['java', 'a test is assumed away', 'assertEquals(3', 'assumeTrue(false);\n        assertEquals(3'],
  ['java', 'a test is no test any more', '    @Test\n', ''],
  ['java', 'an assertion asks nothing', '.isEqualTo(n)', ''],
  ['java', 'an assertion is always true', 'assertEquals(3, add(1, 2))', 'assertTrue(true)'],
]

/** Edits after which they hold as much. */
export const asStrong: Edit[] = [
  [
    'js',
    'a helper returns early',
    "describe('sums'",
    "function wait(n) {\n  if (n > 3) return\n  add(n, 1)\n}\ndescribe('sums'",
  ],
  [
    'js',
    'a helper returns in a block',
    "describe('sums'",
    "function wait(n) {\n  if (n > 3) {\n    return;\n  }\n  add(n, 1)\n}\ndescribe('sums'",
  ],
  [
    'py',
    'a helper returns early',
    'def test_adds',
    'def helper(n):\n    if n:\n        return 1\n    return 2\n\ndef test_adds',
  ],
  [
    'py',
    'a tuple is compared',
    'assert add(1, 2) == 3',
    'assert add(1, 2) == 3\n    assert (add(1, 2), 1) == (3, 1)',
  ],
  [
    'go',
    'a helper returns early',
    'func TestSub',
    'func helper(n int) {\n\tif n > 3 {\n\t\treturn\n\t}\n\tadd(n, 1)\n}\n\nfunc TestSub',
  ],
  [
    'js',
    'a test more',
    "  it('adds'",
    "  it('adds nothing', () => { expect(add(0, 0)).toBe(0) })\n  it('adds'",
  ],
  ['js', 'another title', "it('adds'", "it('adds numbers'"],
  ['js', 'another expectation', 'toBe(4)', 'toEqual(5)'],
  ['js', 'skip as a plain word', "it('adds'", "// it.skip('adds')\n  it('adds'"],
  ['js', 'skip of something else', 'expect(add(2, 2))', 'stream.skip(2)\n    expect(add(2, 2))'],
  [
    'js',
    'data about things to do',
    'expect(add(2, 2))',
    "const list = [{ todo: 'milk', skip: 2, only: true }]\n    expect(add(2, 2))",
  ],
  ['js', 'other quotes and places', /it\('adds'/, 'it(\n    `adds`'],
  ['js', 'a regular expression with a quote', "describe('sums'", "const quote = /[\"'`]/\ndescribe('sums'"],
  ['js', 'a template with code', "describe('sums'", "const text = `a${`b${1}'`}`\ndescribe('sums'"],
  ['py', 'a test more', 'class TestMore', 'def test_zero():\n    assert add(0, 0) == 0\n\nclass TestMore'],
  ['py', 'skip as a plain word', 'def test_adds', '# pytest.mark.skip\ndef test_adds'],
  ['go', 'another message', '"not 3"', '"not three"'],
  [
    'go',
    'an early way out after an error',
    'assert.Equal',
    'err := open()\n\tif err != nil {\n\t\treturn\n\t}\n\tassert.Equal',
  ],
  ['js', 'a runner with fixtures', "describe('sums'", "const test = base.extend({})\ndescribe('sums'"],
  ['js', 'a helper under a condition', 'expect(add(2, 2))', 'if (verbose) print(1)\n    expect(add(2, 2))'],
  ['js', 'cleaning up that may fail', "describe('sums'", "try { clean() } catch {}\ndescribe('sums'"],
  ['py', 'another class', 'class TestMore', 'class TestOther'],
  ['py', 'a class of unittest', 'class TestMore:', 'class More(TestCase):'],
  ['py', 'a fixture', 'def test_adds', '@pytest.fixture\ndef thing():\n    yield 1\n\ndef test_adds'],
  [
    'go',
    'a set-up of its own',
    'func TestAdd',
    'func TestMain(m *testing.M) {\n\tstart()\n\tos.Exit(m.Run())\n}\n\nfunc TestAdd',
  ],
  [
    'rust',
    'a new test that expects a panic',
    '#[test]',
    '#[test]\n    #[should_panic]\n    fn fails() { add(-1, 0); }\n\n    #[test]',
  ],
  ['rust', 'code without an assertion of its own', 'assert!(a > 0); a + b', 'a + b'],
  [
    'rust',
    'a lifetime and a raw string',
    'pub fn add',
    'pub fn f<\'a>(x: &\'a str) -> &\'a str { r#"a"b"# }\npub fn add',
  ],
  [
    'java',
    'a test more',
    '    @ParameterizedTest',
    '    @Test\n    void none() {\n        assertEquals(0, add(0, 0));\n    }\n\n    @ParameterizedTest',
  ],
]
