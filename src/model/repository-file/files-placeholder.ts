/** What stands in a check's command for the changed files that match. */
export const filesPlaceholder = '{files}'

const maxPlaceholders = 4

/**
 * Why the placeholders of a command cannot be filled in safely; `null`: they can. The names are quoted for a place
 * where a word of its own may stand: within quotes or glued to other text they would come apart.
 */
export function placeholderFault(command: string): string | null {
  const places = [...command.matchAll(/\{files\}/g)]
  if (places.length > maxPlaceholders) return `must have ${filesPlaceholder} at most ${maxPlaceholders} times`
  for (const { index } of places) {
    const before = command.slice(0, index)
    if (isQuoted(before))
      return `must have ${filesPlaceholder} without quotes around it: every name is quoted already`
    if (/(?:^|[\s;&|(])#[^\n]*$/.test(before)) return `must not have ${filesPlaceholder} in a comment`
    if (/<<-?\s*\S/.test(before)) return `must not have ${filesPlaceholder} behind a here-document (<<)`
    const next = command[index + filesPlaceholder.length] ?? ' '
    if (!/(?:^|[\s;&|(])$/.test(before) || !/[\s;&|)]/.test(next))
      return `must have ${filesPlaceholder} as a word of its own, with spaces around it`
  }
  return null
}

/** Whether quotes are open where the text ends. */
function isQuoted(text: string): boolean {
  let open = ''
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? ''
    if (open === "'") {
      if (char === "'") open = ''
    } else if (char === '\\') at += 1
    else if (open !== '') {
      if (char === open) open = ''
    } else if (char === '"' || char === "'" || char === '`') open = char
  }
  return open !== ''
}
