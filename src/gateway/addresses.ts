import { isObject, object, text, type Json } from './json.ts'

/** Stands in place of what was taken out of a conversation. */
const notice = '[This pointed to an address, which may not be fetched from here.]'

/**
 * Replaces pictures and files that are named by their address: the provider would fetch them, which is a way out of a
 * sandbox that has none. Looks through the parts of a conversation, not into what tools are called with. Answers
 * whether there were any.
 */
export function dropAddresses(conversation: unknown): boolean {
  if (!Array.isArray(conversation)) return false
  let found = false
  for (const [index, part] of conversation.entries()) {
    if (!isObject(part)) continue
    if (pointsOutside(part)) {
      conversation[index] = noticeLike(part)
      found = true
      continue
    }
    for (const key of ['content', 'output', 'parts'] as const) found = dropAddresses(part[key]) || found
    // Gemini's results of tools may hold files of their own.
    found = dropAddresses(object(part['functionResponse'])['parts']) || found
  }
  return found
}

function pointsOutside(part: Json): boolean {
  const image = part['image_url']
  const addresses = [
    object(part['source'])['type'] === 'url' ? object(part['source'])['url'] : undefined,
    isObject(image) ? image['url'] : image,
    part['file_url'],
    object(part['fileData'] ?? part['file_data'])['fileUri'],
    object(part['fileData'] ?? part['file_data'])['file_uri'],
  ]
  return addresses.some((address) => /^\s*(?!data:)[a-z][a-z0-9+.-]*:/i.test(text(address)))
}

/** Words in the form that the parts beside it have. */
function noticeLike(part: Json): Json {
  if ('fileData' in part || 'file_data' in part) return { text: notice }
  return { type: text(part['type']).startsWith('input_') ? 'input_text' : 'text', text: notice }
}
