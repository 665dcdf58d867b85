import type { Language } from './language.ts'

const extension = /\.[cm]?[jt]sx?$/i
const names = 'it|test|specify|describe|suite|context|bench|fit|xit'

/** JavaScript and TypeScript: vitest, jest, mocha, node:test, ava, tap, Playwright, Cypress. */
export const node: Language = {
  name: 'JavaScript',
  isTestFile: (path) =>
    extension.test(path) &&
    (/(?:^|\/)(?:__tests__|tests?|specs?|e2e|cypress)\//i.test(path) ||
      /[._-](?:test|spec|e2e|cy)\.[^./]+$/i.test(path)),
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
      .replace(/\[[ \t]*(['"`])(\w+)\1[ \t]*\]/g, '.$2'),
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
  title: /(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`)/,
  assertion:
    /(?<![\w$])(?:expect|assert)\w*(?:\.\w+)*\s*\(|\.should\b|(?<![\w$.])t\.(?!test\b|skip\b|todo\b|plan\b|log\b|comment\b|end\b|after\b|before\b|diagnostic\b|mock\b|timeout\b|teardown\b|pass\b|context\b)\w+\s*\(/gm,
  weakenings: [
    {
      what: 'skips a test',
      pattern: new RegExp(
        `(?<![\\w$.])(?:${names})(?:\\s*\\.\\s*\\w+)*?\\s*\\.\\s*(?:skip|skipIf|runIf|todo|fails|failing|fixme)\\b|(?<![\\w$.])x(?:it|test|describe|context|specify)\\s*\\(|\\b(?:this|t|ctx|context|task)\\s*\\.\\s*(?:skip|todo)\\s*\\(|\\b(?:skip|todo)\\s*:\\s*(?!false\\b)\\S`,
        'gm',
      ),
    },
    {
      what: 'runs some tests only',
      pattern: new RegExp(
        `(?<![\\w$.])(?:${names})(?:\\s*\\.\\s*\\w+)*?\\s*\\.\\s*only\\b|(?<![\\w$.])f(?:it|describe|context)\\s*\\(|\\bonly\\s*:\\s*true\\b`,
        'gm',
      ),
    },
    {
      what: 'skips a test',
      pattern: new RegExp(
        `\\{[^{}]{0,200}?\\b(?:skip|only|todo)\\b[^{}]{0,200}\\}\\s*=\\s*(?:${names})\\b|=\\s*(?:${names})\\s*(?:;|$)`,
        'gm',
      ),
    },
    { what: 'ends the tests early', pattern: /\bprocess\s*\.\s*(?:exit|reallyExit|abort|kill)\s*\(/gm },
    {
      what: 'turns code off',
      pattern:
        /\b(?:if|while)\s*\(\s*(?:false|0|!1|!true)\s*(?:\)|&&)|(?:=>|\bfunction\b[^{}]{0,200})\s*\{\s*return\s*(?:;|$)/gm,
    },
  ],
}
