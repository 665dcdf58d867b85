import { ForgeFailure } from '../ports/forge.ts'
import type { Attempt } from './attempt.ts'

/** The login of our account on the forge; `null`: this kind of token may not ask for it, such as that of GitHub Actions. */
export async function ownLogin({ parts }: Attempt): Promise<string | null> {
  try {
    return (await parts.forge?.identity())?.login ?? null
  } catch (error) {
    const mayNotAsk =
      error instanceof ForgeFailure && (error.fault === 'forbidden' || error.fault === 'not_found')
    if (mayNotAsk) return null
    throw error
  }
}
