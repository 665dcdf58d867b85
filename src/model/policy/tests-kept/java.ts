import { afterReturn, bracedBody } from './braces.ts'
import type { Language } from './language.ts'

/** Java and Kotlin: JUnit 3 to 6, TestNG. */
export const java: Language = {
  name: 'Java',
  isTestFile: (path) =>
    /\.(?:java|kt)$/i.test(path) &&
    (/(?:^|\/)(?:src\/\w*test\w*|tests?)\//i.test(path) ||
      /(?:Tests?|IT|TestCase|Spec)\.(?:java|kt)$/.test(path) ||
      /(?:^|\/)Test[^/]*\.(?:java|kt)$/.test(path)),
  isFoundByName: (path) =>
    !/(?:^|\/)src\/main\//.test(path) &&
    /(?:^|\/)(?:Test[^/]*|[^/]*(?:Test|Tests|TestCase))\.(?:java|kt)$/.test(path),
  isTestCodeOnly: () => true,
  // Java reads \\u0040 as @ before anything else, in comments and strings too.
  normalize: (source) =>
    source.replace(/\\u+00([2-7][0-9a-f])/gi, (_text, digits: string) =>
      String.fromCharCode(parseInt(digits, 16)),
    ),
  strings: {
    lineComment: '//',
    blockComments: 'plain',
    tripleQuotes: true,
    backtick: 'none',
    apostrophe: 'character',
    rawHashes: false,
    regexes: false,
  },
  test: /@(?:[\w.]+\.)?(?:Test|ParameterizedTest|RepeatedTest|TestFactory|TestTemplate|Property|Theory)\b(?!\s*\.)|\bpublic\s+void\s+test\w*\s*\(\s*\)(?<!@Test\b[^;{}]{0,200})/gm,
  body: (masked, start, end) =>
    bracedBody(masked, /^[^{};]{0,800}?\([^{};]{0,300}\)[^{};]{0,200}?\{/, start, end),
  nothing: /^[\s;]*$/,
  title: /(?:\bvoid\s+|\bfun\s+|[\w>\]]\s+)(`[^`\n]+`|\w+)\s*\(/,
  assertion:
    /\b(?:assert|verify|expect|fail|should)\w*\s*\(|\.(?:andExpect|should\w*)\s*\(|(?<![\w.])assert\s+[^;]{0,1000};|\bexpected\s*=/gm,
  weakenings: [
    {
      what: 'skips a test',
      pattern:
        /@(?:[\w.]+\.)?(?:Disabled|Ignore)\b|\bassume\w*\s*\(\s*(?:true|false)\b|\benabled\s*=\s*false\b|@\w+Source\s*\([^(){}]{0,100}\{\s*\}/gm,
    },
    // By a condition: where a test is new, that is its own.
    {
      what: 'skips a test',
      pattern:
        /(?<=@(?:Test|ParameterizedTest|RepeatedTest)\b[^{};]{0,400}\{\s{0,100})if\s*\([^{};]{0,200}\)\s*\{?\s*return\s*(?:;|$)/gm,
      inOldTests: true,
    },
    {
      what: 'skips a test',
      pattern:
        /@(?:[\w.]+\.)?(?:Enabled|Disabled)(?:If|On|For|In)\w*|(?<!^import\b[^\n;]{0,300})(?:\bassum(?:e|ing)\w*\s*\(|\bAssum\w+\s*\.|\b(?:SkipException|TestAbortedException|AssumptionViolatedException)\b)/gm,
      inOldTests: true,
    },
    {
      what: 'skips a test',
      pattern:
        /@(?:Test|ParameterizedTest|RepeatedTest)\b[^;{}]{0,300}?\b(?:private|static)\s|\babstract\s+class\s+(?!Abstract|Base)\w*(?:Test|Tests|TestCase|IT)\b/gm,
    },
    {
      what: 'turns code off',
      pattern:
        /\bcatch\s*\([^()]{0,100}\b(?:AssertionError|AssertionFailedError|Throwable|Error)\b[^()]{0,100}\)\s*\{(?:[\s;]|return\b|[\w.]{0,60}\b(?:print\w*|info|warn|debug|error)\s*\([^(){}]{0,200}\))*\}/gm,
    },
    {
      what: 'turns code off',
      pattern:
        /\bassertThrows\s*\(\s*(?:AssertionError|AssertionFailedError|Throwable|Error)\s*\.|\bexpected\s*=\s*(?:AssertionError|Throwable|Error)\b/gm,
      inOldTests: true,
    },
    { what: 'turns code off', pattern: afterReturn },
    {
      what: 'ends the tests early',
      pattern: /\bSystem\s*\.\s*exit\s*\(|\bRuntime\b[^;\n]{0,100}?\.\s*(?:exit|halt)\s*\(/gm,
    },
    {
      what: 'turns code off',
      pattern:
        /\bif\s*\(\s*(?:false|!true)\s*\)|\b(?:void|fun)\s+\w+\s*\([^)]{0,500}\)[^{};]{0,200}\{\s*return\s*(?:;|$)/gm,
    },
  ],
}
