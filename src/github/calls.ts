import type { Octokit } from '@octokit/rest'
import { ForgeFailure, type ForgeFault } from '../ports/forge.ts'
import { Refusal } from './failures.ts'

/** Makes one call about a repository. */
export type Calls = <T>(
  work: (octokit: Octokit, headers: { authorization: string }) => Promise<T>,
) => Promise<T>

/** A refusal that nobody here can read is a mistake of ours. */
export async function known<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new ForgeFailure('unexpected', `GitHub answered ${error.status}: ${error.message}`, {
      cause: error,
    })
  }
}

/** A refusal with one of these statuses becomes a value. */
export async function unlessRefused<T>(
  call: () => Promise<T>,
  statuses: readonly number[],
  meaning: (refusal: Refusal) => T,
): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof Refusal && statuses.includes(error.status)) return meaning(error)
    return known(Promise.reject(error))
  }
}

const absent: ReadonlySet<ForgeFault> = new Set(['not_found', 'not_offered'])

/** A list about what is known to be there: servers without such lists have nothing to put on them. */
export async function offered(call: Promise<readonly unknown[]>): Promise<readonly unknown[]> {
  try {
    return await known(call)
  } catch (error) {
    if (error instanceof ForgeFailure && absent.has(error.fault)) return []
    throw error
  }
}

/** The longest page of a list that GitHub gives. */
export const perPage = 100
