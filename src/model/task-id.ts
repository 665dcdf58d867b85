import { monotonicFactory } from 'ulid'

const next = monotonicFactory()

/** A new id: a ULID, so that ids sort by the time they were made; those of one process also within a millisecond. */
export function newTaskId(): string {
  return next()
}

/** The part of an id that people read and type: its last eight characters, which are random, in lower case. */
export function shortId(id: string): string {
  return id.slice(-8).toLowerCase()
}

/** A text for people, with the ids in it as short as they are shown elsewhere. */
export function withShortIds(text: string): string {
  return text.replace(/\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/g, shortId)
}

const maxSlugLength = 40

/** The first words of a prompt, as a branch name can hold them; empty where it has no Latin letter or digit. */
export function slug(prompt: string): string {
  const words = prompt
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .match(/[a-z0-9]+/g)
  let result = ''
  for (const word of words ?? []) {
    const longer = result === '' ? word.slice(0, maxSlugLength) : `${result}-${word}`
    if (longer.length > maxSlugLength) break
    result = longer
  }
  return result
}

/** The branch of a task whose branch nobody named: `nightshift/<short id>-<slug>`. */
export function branchFor(id: string, prompt: string): string {
  const words = slug(prompt)
  return words === '' ? `nightshift/${shortId(id)}` : `nightshift/${shortId(id)}-${words}`
}
