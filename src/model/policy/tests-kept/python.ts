import { testHooks } from './pytest-hooks.ts'
import { pythonBody, pythonScopes } from './python-scopes.ts'
import type { Language, Weakening } from './language.ts'

/** Where pytest does not look. */
const unseen = /(?:^|\/)(?:\.[^/]+|build|dist|node_modules|venv|[^/]+\.egg)\//

// Nothing is done about it, or it is only told.
const forgotten =
  '(?:pass\\b|\\.\\.\\.|return\\b|continue\\b|(?:print|log\\w*(?:\\.\\w+)?)[ \\t]*\\((?![^\\n]*\\n\\s*(?:raise|assert|pytest|self)\\b))'

/** A failed assertion that nobody hears of: caught by its name, or with all else around an assertion. */
const swallowed: Weakening[] = [
  `\\bexcept\\b[^\\n:]{0,100}\\b(?:AssertionError|BaseException)\\b[^\\n:]{0,100}:\\s*${forgotten}`,
  `(?<=\\btry[ \\t]*:(?:(?!\\b(?:try|except)\\b)[\\s\\S]){0,2000}?(?:\\bassert|\\bcheck|\\bverify|\\bexpect|\\btest_)(?:(?!\\b(?:try|except)\\b)[\\s\\S]){0,1000})\\bexcept\\b(?:[ \\t]*Exception\\b[^\\n:]{0,100})?[ \\t]*:\\s*${forgotten}`,
].map((pattern) => ({ what: 'turns code off', pattern: new RegExp(pattern, 'gm') }))

/** Python: pytest and unittest. */
export const python: Language = {
  name: 'Python',
  isTestFile: (path) =>
    /\.py$/i.test(path) &&
    !unseen.test(path) &&
    (/(?:^|\/)tests?\//i.test(path) || /(?:^|\/)(?:test_[^/]*|[^/]*_test|tests|conftest)\.py$/i.test(path)),
  isFoundByName: (path) => /(?:^|\/)(?:test_[^/]*|[^/]*_test)\.py$/.test(path),
  isTestCodeOnly: () => true,
  // Names are compared as Python does it, and a line goes on behind a backslash.
  normalize: (source) => source.normalize('NFKC').replace(/\\\n/g, ' \n'),
  strings: {
    lineComment: '#',
    blockComments: 'none',
    tripleQuotes: true,
    backtick: 'none',
    apostrophe: 'string',
    rawHashes: false,
    regexes: false,
  },
  test: /(?:^[ \t]*@[^\n]*\n){0,20}^[ \t]*(?:async[ \t]+)?def[ \t]+test\w*[ \t]*\(/gm,
  body: pythonBody,
  nothing: /^(?:\s|pass\b|\.\.\.|return\b|["'])*$/,
  surroundings: pythonScopes,
  title: /def[ \t]+(\w+)/,
  assertion:
    /(?<![\w.])assert\b[^\n]*|\.assert\w*\s*\(|\bpytest\.(?:raises|warns|fail)\s*\(|\bself\.fail\w*\s*\(|(?<![\w.])assert_\w+\s*\(/gm,
  weakenings: [
    {
      what: 'skips a test',
      pattern:
        /\bmark\s*\.\s*(?:skip|xfail)\b|(?<!\b(?:if|elif|else|except)\b[^\n]{0,200}:\s{0,100})\bpytest\s*\.\s*skip\b|\bpytest\s*\.\s*xfail\b|(?<![\w.])(?:skip|expectedFailure)\b(?=\s*\(|\s*$)|\.\s*expectedFailure\b|(?<!\bpytest\s{0,9})\.\s*skip\b(?!\s*\(\s*[\w.]+\s*\)|\w)|\bSkipTest\b|\.skipTest\s*\(|\bimport\b[^\n]{0,200}?\b(?:skip|skipif|xfail)\b/gm,
    },
    // By a condition: where a test is new, that is its own.
    {
      what: 'skips a test',
      pattern:
        /\bmark\s*\.\s*skipif\b|(?<=\b(?:if|elif|else|except)\b[^\n]{0,200}:\s{0,100})\bpytest\s*\.\s*skip\b|\bpytest\s*\.\s*importorskip\b|(?<=\bdef[ \t]+test\w*[ \t]*\([^()]{0,300}\)[^:\n]{0,100}:\s{0,100})if\b[^\n]{0,200}:\s*return\b|(?<!\bimport\b[^\n]{0,200})\b(?:skipIf|skipUnless)\b/gm,
      inOldTests: true,
    },
    { what: 'skips a test', pattern: testHooks },
    {
      what: 'skips a test',
      pattern:
        /\b__test__\s*=(?!=)|\bconfig\s*\.\s*option\s*\.\s*\w+\s*=(?!=)|\bgetattr\s*\(\s*(?:pytest|unittest)\b|^[ \t]*del[ \t]+\w*[tT]est/gm,
    },
    {
      what: 'ends the tests early',
      pattern: /\b(?:os\s*\.\s*_exit|pytest\s*\.\s*exit|os\s*\.\s*kill)\s*\(/gm,
    },
    // In a test it is that test's failure.
    {
      what: 'ends the tests early',
      pattern:
        /\bsys\s*\.\s*exit(?!\s*\(\s*pytest\s*\.\s*main\s*\(\s*\[\s*__file__)\s*\(|\braise[ \t]+SystemExit\b/gm,
      inOldTests: true,
    },
    {
      what: 'skips a test',
      pattern: /\bparametrize\s*\([^()[\]]{0,200},\s*(?:tuple|list|set)?\s*[[(]\s*[\])]|^test\w*\s*=(?!=)/gm,
    },
    {
      what: 'skips a test',
      pattern:
        /^class\s+Test\w*[^\n:]{0,200}:(?:(?!^\S)[\s\S]){0,1500}?^[ \t]+def[ \t]+__(?:init|new)__\s*\(/gm,
    },
    ...swallowed,
    {
      what: 'turns code off',
      pattern:
        /\bdef[ \t]+assert(?:Equals?|NotEqual|True|False|Is|IsNot|IsNone|IsNotNone|In|NotIn|Raises|Almost\w+|Greater\w*|Less\w*)[ \t]*\(|\bsuppress\s*\([^()]{0,100}\b(?:AssertionError|Exception|BaseException)\b|\b(?:raises|assertRaises)\s*\(\s*(?:AssertionError|BaseException)\b|\bexitstatus\s*=(?!=)/gm,
    },
    {
      what: 'turns code off',
      // What follows a return in the same block, a tuple that is always true, a coroutine that nobody awaits.
      pattern:
        /^([ \t]+)return\b[ \t]*(?:None|True|False)?[ \t]*\n(?:[ \t]*\n){0,20}\1(?=[^\s)\]}])(?!yield\b)|\bassert[ \t]*\((?:[^()[\]{}\n]|\([^()\n]*\)|\[[^[\]\n]*\]){1,300},(?:[^()[\]{}\n]|\([^()\n]*\)|\[[^[\]\n]*\]){0,300}\)[ \t]*$|^class\s+\w+\([^)\n]{0,200}\bunittest\.TestCase\b(?:(?!^\S)[\s\S]){0,3000}?^(?: {4}|\t)async[ \t]+def[ \t]+test/gm,
    },
    {
      what: 'turns code off',
      pattern:
        /\b(?:if|while)[ \t]+\(?(?:False|0|not[ \t]+True)\)?[ \t]*(?::|and\b)|\bdef[ \t]+test\w*\([^)]{0,500}\)[^:\n]{0,100}:\s*(?:return|pass)[ \t]*$/gm,
    },
  ],
}
