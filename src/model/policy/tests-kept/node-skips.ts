const callers = 'it|test|specify|describe|suite|context|bench|fit|before\\w*|after\\w*'

/** What a test, or what is run before it, is called with: `it('title', { timeout: 1 }, async (t) => …`. */
const callback = new RegExp(
  `(?<![\\w$])(?:${callers})(?:\\s*\\.\\s*\\w+|\\s*\\([^()]{0,300}\\)){0,8}\\s*\\(\\s*(?:[^(){}]{0,300}?,\\s*)?(?:\\{[^{}]{0,200}\\}\\s*,\\s*)?` +
    '(?:async\\s*)?(?:function\\b[^()]{0,60})?(?:\\(([^()]{0,200})\\)|(\\w+)\\s*=>)',
  'g',
)
/** A parameter that is called as a test's context is, wherever it stands. */
const named =
  /[(,]\s*(t|ctx|context)\s*(?::[^,()]{0,100})?[,)]|[(,]\s*(\w+)\s*:\s*(?:\w+\.)?(?:Test|Task|Execution)Context\b/g

/** Whose `skip` is a test's: its context, under the name that it has here. Iterators and queues can skip, too. */
export function nodeSkips(masked: string, when: 'always' | 'under a condition'): RegExp {
  const parameters = [...masked.matchAll(callback), ...masked.matchAll(named)].flatMap(
    ([, one, other]) => (one ?? other ?? '').match(/[\w$]+/g) ?? [],
  )
  const names = [...new Set(['this', ...parameters])].slice(0, 500).map((name) => name.replaceAll('$', '\\$'))
  // A runner takes a text or a condition; a number is how many something else leaves out.
  const receiver = `(?<![\\w$.])(?:${names.join('|')})\\s*\\??\\.\\s*(?:skip|todo)\\s*(?:\\?\\.\\s*)?\\(`
  const alone = names.includes('skip') ? '|(?<![\\w$.])skip\\s*\\(' : ''
  const condition = `(?<${when === 'always' ? '!' : '='}\\bif\\s*\\([^{}]{0,300}\\)\\s*\\{?\\s{0,100})`
  return new RegExp(`${condition}(?:${receiver}${alone})(?!\\s*[\\d.]+\\s*\\))`, 'gm')
}
