import type { Language } from './language.ts'

/** Go: the testing package, testify and the like. */
export const go: Language = {
  name: 'Go',
  isTestFile: (path) => /_test\.go$/i.test(path),
  isTestCodeOnly: () => true,
  normalize: (source) => source,
  strings: {
    lineComment: '//',
    blockComments: 'plain',
    tripleQuotes: false,
    backtick: 'raw',
    apostrophe: 'character',
    rawHashes: false,
    regexes: false,
  },
  test: /^func\s+(?:\([^)]{0,200}\)\s*)?(?:Test|Fuzz|Example)\w*\s*\(|\b\w+\.Run\s*\(\s*["`]/gm,
  title: /func\s+(?:\([^)]{0,200}\)\s*)?(\w+)|Run\s*\(\s*"((?:[^"\\\n]|\\.)*)"|Run\s*\(\s*`([^`]*)`/,
  assertion:
    /\b\w+\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow)\s*\(|\b(?:assert|require|is|must|expect|check|verify|Expect|Require|Assert)\w*(?:\.\w+)?\s*\(/gm,
  weakenings: [
    { what: 'skips a test', pattern: /\b\w+\.(?:Skip|Skipf|SkipNow)\s*\(/gm },
    { what: 'turns code off', pattern: /^\/\/(?:go:build|\s*\+build)\b.*/gm, inComments: true },
    { what: 'ends the tests early', pattern: /\bos\.Exit\s*\(\s*0\s*\)|\bsyscall\.(?:Exit|Kill)\s*\(/gm },
    {
      what: 'turns code off',
      pattern: /\bif\s+(?:false|!true)\b|^func\s+Test\w*\([^)]{0,200}\)\s*\{\s*return\b/gm,
    },
  ],
}
