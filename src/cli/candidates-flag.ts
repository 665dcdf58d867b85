import { agentNames } from '../model/submission.ts'

/**
 * What a person types for `--candidates`: a number, `claude:MODEL,codex`, or the list of a request as JSON. Anything
 * else stays text, and is refused as such by submit().
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
  const names: readonly string[] = agentNames
  const parts = typed.split(',').map((part) => part.trim())
  if (!parts.every((part) => names.includes(part.split(':', 1)[0] ?? ''))) return text
  return parts.map((part) => {
    const [agent = '', ...model] = part.split(':')
    return model.length === 0 ? { agent } : { agent, model: model.join(':') }
  })
}
