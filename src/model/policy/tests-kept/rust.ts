import { afterReturn, bracedBody } from './braces.ts'
import type { Language } from './language.ts'

/** Rust: test functions of the language, in files of their own and beside the code. */
export const rust: Language = {
  name: 'Rust',
  isTestFile: (path) => /\.rs$/i.test(path),
  isFoundByName: () => true,
  isTestCodeOnly: (path) => /(?:^|\/)tests\//i.test(path),
  testCode: /#\s*\[\s*cfg\s*\([^\]]{0,200}?\btest\b/,
  normalize: (source) => source,
  strings: {
    lineComment: '//',
    blockComments: 'nested',
    tripleQuotes: false,
    backtick: 'none',
    apostrophe: 'character',
    rawHashes: true,
    regexes: false,
  },
  test: /#\s*\[\s*(?:\w+\s*::\s*)*(?:test|rstest|quickcheck|test_log|wasm_bindgen_test|bench)\s*(?:\([^\]\n]{0,200}\))?\s*\]|#\s*\[\s*cfg\s*\(\s*test\s*\)\s*\]\s*(?:pub(?:\([^()]{0,50}\))?\s+)?mod\s+\w+\s*;/gm,
  body: (masked, start, end) => bracedBody(masked, /^[^{};]{0,500}?\bfn\b[^{};]{0,300}?\{/, start, end),
  nothing: /^[\s;]*(?:Ok\s*\(\s*\(\s*\)\s*\)\s*)?$/,
  // A module of tests in a file of its own is compiled as long as it is named.
  title: /\b(?:fn|mod)\s+(\w+)/,
  assertion:
    /\b(?:debug_)?(?:prop_)?assert\w*!\s*[([{]|\bassert_\w+\s*\(|\b(?:panic|unreachable)!\s*[([{]|#\s*\[\s*should_panic/gm,
  weakenings: [
    { what: 'turns code off', pattern: /#\s*\[\s*should_panic/gm, inOldTests: true },
    {
      what: 'turns code off',
      pattern: /\bmacro_rules!\s*(?:assert\w*|panic|unreachable)\b/gm,
    },
    { what: 'turns code off', pattern: /\bcatch_unwind\s*\(/gm, inOldTests: true },
    { what: 'skips a test', pattern: /#\s*!?\s*\[\s*(?:ignore\b|cfg_attr\s*\([^\]]{0,200}?\bignore\b)/gm },
    {
      what: 'turns code off',
      pattern: /\bif\s+(?:false|!true)\b|\bfn\s+\w+\s*\(\s*\)[^{;]{0,100}\{\s*return\b/gm,
    },
    {
      what: 'turns code off',
      pattern:
        /#\s*!?\s*\[\s*cfg\s*\(\s*(?!(?:test|unix|not\s*\(\s*(?:windows|miri)\s*\))\s*\)|any\s*\((?:(?!\bnot\b)[^\]]){0,200}\btest\b)[^\]]{0,200}\](?!\s*(?:pub\b[^\n(]{0,20})?(?:use|struct|enum|impl|const|static|type|trait|extern|let)\b)/gm,
      inOldTests: true,
    },
    {
      what: 'skips a test',
      pattern:
        /(?<=\btest\s*\][^{};]{0,300}\bfn\s+\w+\s*\(\s*\)[^{};]{0,100}\{\s{0,100})if\b[^{}]{0,200}\{\s*return\b/gm,
      inOldTests: true,
    },
    { what: 'turns code off', pattern: afterReturn },
    { what: 'ends the tests early', pattern: /\bprocess\s*::\s*(?:exit|abort)\s*\(/gm },
  ],
}
