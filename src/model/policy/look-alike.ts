/**
 * Characters that people, or other file systems, read as another one. Only what NFKC leaves as it is; from the
 * confusables of Unicode (UTS 39), the Latin letters and the characters that paths are made of.
 */
const lookAlikes: readonly (readonly [string, string])[] = [
  ['/', '\u2044\u2215\u29f8\u2571\u27cb\u1735\u3033\u4e3f\u2f03'],
  ['\\', '\u2216\u29f5\u29f9\u2572\u27cd'],
  ['.', '\u3002\uff61\u0701\u0702\ua4f8\u0660\u06f0\u06d4\u00b7\u2027\u30fb\u2219\u22c5\u2e31'],
  ['-', '\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u02d7\u2043\u2796\u2cba\u1806'],
  ['_', '\u02cd\u2e0f\u07fa'],
  ['a', '\u0430\u03b1\u0251\u237a'],
  ['b', '\u0432\u044c\u0185\u03b2'],
  ['c', '\u0441\u03f2\u1d04\u2ca5'],
  ['d', '\u0501\u13e7\u146f'],
  ['e', '\u0435\u212e\u04bd\u03b5'],
  ['g', '\u0261\u0581\u1d83\u050d'],
  ['h', '\u04bb\u0570\u043d'],
  ['i', '\u0456\u03b9\u0131\u0269\u026a\u04cf'],
  ['j', '\u0458\u03f3'],
  ['k', '\u043a\u03ba\u1d0b'],
  ['l', '\u04c0\u01c0\u2223'],
  ['m', '\u043c'],
  ['n', '\u0578\u057c\u03b7'],
  ['o', '\u043e\u03bf\u1d0f\u0585\u10ff\u03c3'],
  ['p', '\u0440\u03c1\u2374'],
  ['q', '\u051b\u0563\u0566'],
  ['r', '\u0433\u1d26'],
  ['s', '\u0455\u01bd\ua731'],
  ['t', '\u0442\u03c4\u1d1b'],
  ['u', '\u03c5\u057d\u1d1c\u028b'],
  ['v', '\u03bd\u0475\u1d20\u2228'],
  ['w', '\u051d\u0461\u1d21'],
  ['x', '\u0445\u03c7\u00d7\u157d'],
  ['y', '\u0443\u04af\u03b3\u028f'],
  ['z', '\u1d22\u03b6'],
]

const plain = new Map(
  lookAlikes.flatMap(([letter, others]) => Array.from(others, (other) => [other, letter])),
)

/** Capitals that look like another letter than their small ones do, and letters of scripts that have only such. */
const capitals: readonly (readonly [string, string])[] = [
  ['a', '\u13aa\ua4ee'],
  ['b', '\u13f4\ua4d0'],
  ['c', '\u13df\ua4da'],
  ['d', '\u13a0\ua4d3'],
  ['e', '\u13ac\ua4f0'],
  ['f', '\ua4dd'],
  ['g', '\u13c0\ua4d6'],
  ['h', '\u0397\u13bb\ua4e7'],
  ['i', '\ua4f2'],
  ['j', '\u13ab\ua4d9'],
  ['k', '\u13e6\ua4d7'],
  ['l', '\u13de\ua4e1'],
  ['m', '\u039c\u13b7\ua4df'],
  ['n', '\u039d\ua4e0'],
  ['o', '\ua4f3\u0d20'],
  ['p', '\u13e2\ua4d1'],
  ['r', '\u13a1\ua4e3'],
  ['s', '\u13da\u13d5\ua4e2'],
  ['t', '\u13a2\ua4d4'],
  ['u', '\ua4f4'],
  ['v', '\u13d9\ua4e6'],
  ['w', '\u13b3\ua4ea'],
  ['x', '\ua4eb'],
  ['y', '\u03a5\u13a9\ua4ec'],
  ['z', '\u13c3\ua4dc'],
]
const plainCapital = new Map(
  capitals.flatMap(([letter, others]) => Array.from(others, (other) => [other, letter])),
)

/** Never shown, or only steering how text is shown: they make two names look the same. */
const invisible = /[\p{Default_Ignorable_Code_Point}\p{Cf}\u2800]/gu

/**
 * One spelling for all texts that look alike or differ in case only: small letters, Latin ones for look-alikes,
 * nothing invisible.
 */
export function foldText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- exactly ASCII is meant
  if (/^[\x00-\x7f]*$/.test(text)) return text.toLowerCase()
  let folded = ''
  // Lower case comes first: the table has the small letters only.
  for (const char of text.normalize('NFKC').replace(invisible, '')) {
    for (const small of plainCapital.get(char) ?? char.toLowerCase()) folded += plain.get(small) ?? small
  }
  return folded.replaceAll('i\u0307', 'i')
}

/** The names that a path has for any file system: split at everything that is, or looks like, a separator. */
export function foldedNames(path: string): string[] {
  return foldText(path).replaceAll('\\', '/').split('/')
}

/**
 * One spelling for all paths that look alike or that some file system takes for the same: folded names, without dots
 * and spaces at their end, and without an NTFS stream behind a colon.
 */
export function foldPath(path: string): string {
  return foldedNames(path)
    .map((name) => (name === '.' || name === '..' ? name : name.replace(/:.*$/s, '').replace(/[. ]+$/, '')))
    .join('/')
}

/** The same for a glob, whose wildcards and escapes stay as they are. */
export function foldGlob(glob: string): string {
  return glob
    .normalize('NFC')
    .split(/(\\.)/su)
    .map((part) => (part.startsWith('\\') ? part.toLowerCase() : Array.from(part, foldGlobChar).join('')))
    .join('')
}

// A wide star or brace is no wildcard, also after it became a plain one.
function foldGlobChar(char: string): string {
  return special.test(char) ? char : foldText(char).replace(/[*?[\]{}\\!,]/g, '\\$&')
}

const special = /^[*?[\]{}\\!,]$/
