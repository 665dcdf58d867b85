import { invalidFields } from './problem.ts'

/** The older routes: the same work by other names of some fields. */
export interface OtherNames {
  /** The body in our own words. Throws a problem of status 422, for a field by a name that is not theirs, too. */
  translate(body: unknown): unknown
  /** What a field of ours is called there. */
  nameThere(field: string): string
}

/** `names`: ours by theirs. */
export function otherNames(names: Readonly<Record<string, string>>): OtherNames {
  const ours = new Map(Object.entries(names))
  const theirs = new Map(Object.entries(names).map(([there, own]) => [own, there]))
  const nameThere = (field: string) => theirs.get(field) ?? field
  return {
    nameThere,
    translate(body) {
      if (typeof body !== 'object' || body === null || Array.isArray(body)) {
        throw invalidFields([{ field: 'body', message: 'must be a JSON object' }])
      }
      const foreign = Object.keys(body).filter((name) => theirs.has(name))
      if (foreign.length > 0) {
        const message = (name: string) => `is called ${nameThere(name)} here`
        throw invalidFields(foreign.map((name) => ({ field: name, message: message(name) })))
      }
      return Object.fromEntries(Object.entries(body).map(([name, value]) => [ours.get(name) ?? name, value]))
    },
  }
}
