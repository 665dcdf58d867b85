import { afterReturn, bracedBody } from './braces.ts'
import type { Language } from './language.ts'
import { nodeSkips } from './node-skips.ts'

const named = /[._-](?:test|spec|e2e|cy)\.[^./]+$/i
/** Where no runner looks. */
const unseen = /(?:^|\/)(?:node_modules|dist)\//
const extension = /\.[cm]?[jt]sx?$/i
const names = 'it|test|specify|describe|suite|context|bench|fit|xit'

/** What a test file must not make anew. */
const owned = 'it|test|describe|expect|assert'

/** A function of the runner with one of these after a dot: `it.skip`, `test.concurrent.skip`, `(it as Test)?.skip`. */
function member(words: string): RegExp {
  const runner = `(?:(?<![\\w$.])(?:${names})|\\(\\s*(?:${names})\\b[^()\\n]{0,60}\\))`
  // A number is no title: `context.skip(2)` leaves out two of something.
  return new RegExp(
    `${runner}(?:\\s*\\??\\.\\s*\\w+)*?\\s*\\??\\.\\s*(?:${words})\\b(?!\\s*\\(\\s*\\d+\\s*\\))`,
    'gm',
  )
}

/** An option of a test: `it('title', { skip: true }, …)`. */
function option(words: string): RegExp {
  return new RegExp(
    `(?<![\\w$.])(?:${names})(?:\\.\\w+)*\\s*\\([^(){}]{0,300}\\{[^{}]{0,100}?\\b${words}`,
    'gm',
  )
}

/** JavaScript and TypeScript: vitest, jest, mocha, node:test, ava, tap, Playwright, Cypress. */
export const node: Language = {
  name: 'JavaScript',
  isTestFile: (path) =>
    extension.test(path) &&
    !unseen.test(path) &&
    (/(?:^|\/)(?:__tests__|tests?|specs?|e2e|cypress)\//i.test(path) || named.test(path)),
  isFoundByName: (path) => named.test(path) || /(?:^|\/)__tests__\//.test(path),
  isTestCodeOnly: () => true,
  normalize: (source) =>
    source
      // An escaped letter is the letter: i\u0074.skip is it.skip.
      .replace(
        /\\u(?:00([4-7][0-9a-f])|\{0*([4-7][0-9a-f])\})/gi,
        (text, one: string | undefined, other: string) => {
          const letter = String.fromCharCode(parseInt(one ?? other, 16))
          return /[a-z]/i.test(letter) ? letter : text
        },
      )
      .replace(/\[[ \t]*(['"`])(\w+)\1[ \t]*\]/g, '.$2')
      // All of these end a line, and with it a comment.
      .replace(/[\u2028\u2029]|\r(?!\n)/g, '\n'),
  strings: {
    lineComment: '//',
    blockComments: 'plain',
    tripleQuotes: false,
    backtick: 'template',
    apostrophe: 'string',
    rawHashes: false,
    regexes: true,
  },
  test: /(?<![\w$.])(?:(?:t|Deno)\.test|(?:it|test|specify|fit|xit|xtest)(?:\s*\.\s*(?!(?:describe|suite|todo|step|use|extend|info|slow|setTimeout|before|after|beforeEach|afterEach|beforeAll|afterAll|mock)\b)\w+)*)\s*[(`]/gm,
  body: (masked, start, end) =>
    bracedBody(
      masked,
      /^[^{}]{0,300}?(?:\{[^{}]{0,200}\}[^{}]{0,100}?)?(?:=>|\bfunction\b[^{}()]{0,100}\([^()]{0,200}\))\s*\{/,
      start,
      end,
    ),
  nothing: /^[\s;]*$/,
  title: /(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`)/,
  assertion:
    /(?<![\w$])(?:expect|assert)\w*(?:\.\w+)*\s*\(|\.should\b|(?<![\w$.])t\.(?!test\b|skip\b|todo\b|plan\b|log\b|comment\b|end\b|after\b|before\b|diagnostic\b|mock\b|timeout\b|teardown\b|pass\b|context\b)\w+\s*\(/gm,
  weakenings: [
    { what: 'skips a test', pattern: member('skip|todo|fails|failing|fixme') },
    // By a condition: where a test is new, that is its own.
    { what: 'skips a test', pattern: member('skipIf|runIf'), inOldTests: true },
    {
      what: 'skips a test',
      pattern:
        /(?<=(?<![\w$.])(?:it|test|specify)(?:\.\w+)*\s*\(\s*["'`]\s*["'`]\s*,[^{}]{0,200}\{\s{0,100})if\s*\([^{}]{0,200}\)\s*\{?\s*return\b\s*(?:[;}]|$)/gm,
      inOldTests: true,
    },
    // Nobody waits for it.
    {
      what: 'turns code off',
      pattern:
        /(?<=(?:[;{}]|[)\w'"`]\n)\s{0,100})expect\s*\((?:[^();]|\([^();]*\)){0,300}\)\s*\.\s*(?:resolves|rejects)\b/gm,
      inOldTests: true,
    },
    { what: 'runs some tests only', pattern: member('only') },
    {
      what: 'skips a test',
      pattern: /(?<![\w$.])x(?:it|test|describe|context|specify)\s*\(/gm,
    },
    { what: 'skips a test', pattern: (masked) => nodeSkips(masked, 'always') },
    { what: 'skips a test', pattern: (masked) => nodeSkips(masked, 'under a condition'), inOldTests: true },
    { what: 'runs some tests only', pattern: /(?<![\w$.])f(?:it|describe|context)\s*\(/gm },
    { what: 'skips a test', pattern: option('(?:skip|todo)\\s*:\\s*(?:true\\b|1|["\'`])') },
    { what: 'skips a test', pattern: option('(?:skip|todo)\\s*:\\s*(?!false\\b)'), inOldTests: true },
    { what: 'runs some tests only', pattern: option('only\\s*:\\s*(?!false\\b)') },
    // Under another name, or a name worked out while it runs, nothing could be seen.
    {
      what: 'skips a test',
      pattern: new RegExp(
        `\\{[^{}]{0,200}?\\b(?:skip|only|todo)\\b[^{}]{0,200}\\}\\s*=\\s*(?:${names})\\b|=\\s*(?:${names})\\s*(?:;|$)|(?<![\\w$.])(?:${names})\\s*(?:\\?\\.)?\\s*\\[`,
        'gm',
      ),
    },
    {
      what: 'skips a test',
      pattern: /\bimport\s*\{[^{}]{0,300}?\b(?:skip|todo|only|xit|xtest|fit|fails)\b\s+as\b/gm,
    },
    { what: 'skips a test', pattern: /\beach\s*\(\s*\[\s*\]\s*\)/gm },
    {
      what: 'turns code off',
      pattern: new RegExp(
        `(?:\\b(?:const|let|var)\\s+(?:${owned})\\s*(?::[^=\\n]{0,100})?=\\s*(?:async\\s*)?(?:\\(|\\{|function\\b|\\w+\\s*=>)|\\bfunction\\s+(?:${owned})\\s*\\(|\\b(?:globalThis|global|window)\\s*\\.\\s*(?:${owned})\\s*=(?!=))`,
        'gm',
      ),
    },
    {
      what: 'turns code off',
      pattern:
        /\bexpect\s*\.\s*extend\s*\(\s*\{[^{}]{0,500}?\b(?:toBe|toEqual|toStrictEqual|toMatchObject|toThrow|toContain|toBeTruthy|toBeDefined)\b\s*[(:,]/gm,
    },
    {
      what: 'turns code off',
      pattern: new RegExp(
        `(?:\\bif\\s*\\([^()\\n]{0,200}\\)\\s*\\{?\\s*|&&\\s*|\\bof\\s+\\[\\s*\\]\\s*\\)\\s*\\{?\\s*)(?<![\\w$.])(?:${names})(?:\\.\\w+)*\\s*\\(`,
        'gm',
      ),
    },
    {
      what: 'turns code off',
      pattern:
        /\b(?:expect|assert)\b[^;{}]{0,300}(?:;?\s*\}\s*catch\s*(?:\([^()]{0,100}\))?\s*\{(?:[\s;]|return\b|console\s*\.\s*\w+\s*\([^(){}]{0,200}\))*\}|\.\s*catch\s*\(\s*\(?\w*\)?\s*=>\s*\{\s*\}\s*\))/gm,
    },
    {
      what: 'turns code off',
      pattern: /\bexpect\s*\(\s*(?:async\s*)?\(\s*\)\s*=>\s*\{?\s*(?:expect|assert)\w*\s*[.(]/gm,
    },
    { what: 'turns code off', pattern: afterReturn },
    {
      what: 'ends the tests early',
      pattern:
        /\bprocess\s*\.\s*exitCode\s*=(?!=)(?!\s*(?:undefined|[1-9]|\w*(?:before|original|previous|saved)\w*)\b)/gim,
    },
    {
      what: 'ends the tests early',
      pattern:
        /\bprocess\s*\??\.\s*(?:(?:exit|reallyExit|abort)\s*(?:\?\.\s*)?\(|kill\s*(?:\?\.\s*)?\(\s*(?:process\b|p?pid\b|-|0))|\{[^{}\n]{0,200}\b(?:exit|abort|reallyExit)\b[^{}\n]{0,200}\}\s*=\s*process\b|\bimport\s*\{[^{}]{0,200}\b(?:exit|abort|kill)\b/gm,
    },
    {
      what: 'turns code off',
      pattern:
        /\b(?:if|while)\s*\(\s*(?:false|0|!1|!true)\s*(?:\)|&&)|\b(?:false|0)\s*&&\s*(?:await\s+)?(?:expect|assert)\b|(?<=[;{}]\s{0,200})\(\s*\)\s*=>\s*\{?\s*(?:expect|assert)\b|(?:=>|\bfunction\b[^{}]{0,200})\s*\{\s*return\s*(?:;|$)/gm,
    },
  ],
}
