/**
 * What a person types for `--candidates`: a number, `claude:MODEL,codex`, or the list of a request as JSON. Whether
 * there are such agents is for submit() to say.
 */
export function candidatesOf(text: string): unknown {
  const typed = text.trim()
  if (/^-?\d+(?:\.\d+)?$/.test(typed)) return Number(typed)
  if (typed.startsWith('[')) {
    try {
      return JSON.parse(typed) as unknown
    } catch {
      return text
    }
  }
  return typed.split(',').map((part) => {
    const [agent = '', ...model] = part.trim().split(':')
    return model.length === 0 ? { agent } : { agent, model: model.join(':') }
  })
}
