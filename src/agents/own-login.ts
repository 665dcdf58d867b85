import { readFile } from 'node:fs/promises'
import { statSync } from 'node:fs'
import type { AgentLogin } from '../ports/agent.ts'
import type { Problem } from '../ports/runtime.ts'

export interface LoginOptions {
  /** The file that the operator named, absolute; `null`: the gateway holds the agent's key. */
  readonly loginFile: string | null
  /** Is told what must not be shown. */
  readonly hide: (secrets: readonly string[]) => void
}

const maxBytes = 64 * 1024
/** Shorter values are names and kinds; tokens are longer. */
const minTokenLength = 20

/** A command line's file of its own login, as it lies in the sandbox. `path`: below HOME there; `hosts`: whom it is for. */
export function ownLogin(
  place: { readonly path: string; readonly hosts: readonly string[] },
  { loginFile, hide }: LoginOptions,
): AgentLogin | null {
  if (loginFile === null) return null
  return {
    ...place,
    async read() {
      const content = await readFile(loginFile, 'utf8')
      if (content.length > maxBytes) throw new Error(`${loginFile} is no login: it is too large`)
      hide(tokensIn(content))
      return content
    },
  }
}

/** What keeps it from being read; never throws. `settingName`: the variable by which a person names it. */
export function loginProblems(settingName: string, loginFile: string | null): readonly Problem[] {
  if (loginFile === null || statSync(loginFile, { throwIfNoEntry: false })?.isFile() === true) return []
  const todo = `log in with its command line, or set ${settingName} to the file that this writes`
  return [{ what: `${settingName} is ${loginFile}, which is no file`, todo }]
}

/** Every text in it that may be a token; of one that is no JSON, every line. */
function tokensIn(content: string): string[] {
  const found: string[] = []
  try {
    JSON.parse(content, (_key, value: unknown) => {
      if (typeof value === 'string') found.push(value)
      return value
    })
  } catch {
    found.push(...content.split('\n').map((line) => line.trim()))
  }
  return found.filter((text) => text.length >= minTokenLength)
}
