import { afterReturn, bracedBody } from './braces.ts'
import { goSkips } from './go-skips.ts'
import type { Language } from './language.ts'

const otherSystem =
  /_(?:aix|android|darwin|dragonfly|freebsd|hurd|illumos|ios|js|nacl|netbsd|openbsd|plan9|solaris|wasip1|windows|zos|386|arm|armbe|arm64|arm64be|loong64|mips|mipsle|mips64|mips64le|ppc|ppc64|ppc64le|riscv|riscv64|s390|s390x|sparc|sparc64|wasm)_test\.go$/

/** Go: the testing package, testify and the like. */
export const go: Language = {
  name: 'Go',
  // Others are left out by the name of the file or of a folder, as if they were not there.
  isTestFile: (path) =>
    path.endsWith('_test.go') &&
    !otherSystem.test(path) &&
    !/(?:^|\/)(?:[._][^/]*|testdata)(?:\/|$)/.test(path),
  isFoundByName: () => true,
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
  test: /^func\s+(?:\([^)]{0,200}\)\s*)?(?:Test|Fuzz|Example)(?![a-z])\w*\s*\(|\b\w+\.Run\s*\(\s*["`]/gm,
  whole: /^func\b/,
  body: (masked, start, end) => bracedBody(masked, /^[^{}]{0,500}?\{/, start, end),
  nothing: /^[\s;]*$/,
  title: /func\s+(?:\([^)]{0,200}\)\s*)?(\w+)|Run\s*\(\s*"((?:[^"\\\n]|\\.)*)"|Run\s*\(\s*`([^`]*)`/,
  assertion:
    /\b\w+\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow)\s*\(|\b(?:assert|require|is|must|expect|check|verify|Expect|Require|Assert)\w*(?:\.\w+)?\s*\(/gm,
  weakenings: [
    { what: 'skips a test', pattern: (masked) => goSkips(masked, 'always') },
    { what: 'skips a test', pattern: (masked) => goSkips(masked, 'under a condition'), inOldTests: true },
    {
      what: 'skips a test',
      pattern: /(?<=^func\s+Test\w*\s*\([^()]{0,100}\)\s*\{\s{0,100})if\b[^{}]{0,200}\{\s*return\b/gm,
      inOldTests: true,
    },
    { what: 'turns code off', pattern: /^[ \t]*\/\/(?:go:build|\s*\+build)\b.*/gm, inComments: true },
    {
      what: 'ends the tests early',
      pattern:
        /\bos\.Exit\s*\(\s*(?:0\s*\)|\w+\.Run\s*\(\s*\)\s*[^\s)])|\bsyscall\.(?:Exit|Kill)\s*\(|\bruntime\.Goexit\b/gm,
    },
    {
      what: 'ends the tests early',
      pattern:
        /^func\s+TestMain\s*\(\s*(\w+)\b[^()]{0,100}\)\s*\{(?!(?:(?!^\})[\s\S]){0,3000}?(?:\.Run\s*\(|\(\s*\1\s*[,)]))/gm,
    },
    // What has a receiver is a method, which nobody runs as a test.
    { what: 'skips a test', pattern: /^func\s+\([^)]{0,200}\)\s*Test\w*\s*\(\s*\w*\s*\*\s*testing\.T\b/gm },
    { what: 'turns code off', pattern: afterReturn },
    {
      what: 'turns code off',
      pattern: /\bif\s+(?:false|!true)\b|^func\s+Test\w*\([^)]{0,200}\)\s*\{\s*return\b/gm,
    },
  ],
}
