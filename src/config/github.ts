import { listOf, type Environment } from './environment.ts'
import { ConfigurationError, type GithubSettings } from './settings.ts'

/** The forge and the account on it; `null`: no account. Throws {@link ConfigurationError} for half an app. */
export function githubSettings(env: Environment): GithubSettings | null {
  const account = githubAccount(env)
  if (account === null) return null
  const serverUrl = env.GITHUB_SERVER_URL.replace(/\/+$/, '')
  // Where GitHub Enterprise has its API, unless it is told.
  const usual = new URL(serverUrl).host === 'github.com' ? 'https://api.github.com' : `${serverUrl}/api/v3`
  return {
    serverUrl,
    apiUrl: env.GITHUB_API_URL?.replace(/\/+$/, '') ?? usual,
    account,
    draft: env.NIGHTSHIFT_PR_DRAFT,
    labels: listOf(env.NIGHTSHIFT_PR_LABELS),
    reviewers: listOf(env.NIGHTSHIFT_PR_REVIEWERS),
    heeded: listOf(env.NIGHTSHIFT_REVIEWERS),
  }
}

function githubAccount(env: Environment): GithubSettings['account'] | null {
  const { GITHUB_APP_ID: appId, GITHUB_APP_PRIVATE_KEY: privateKey, GITHUB_TOKEN: token } = env
  if (token !== undefined) return { kind: 'token', token }
  if (appId === undefined && privateKey === undefined) return null
  if (appId === undefined || privateKey === undefined) {
    throw new ConfigurationError('GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY are needed both, or neither')
  }
  return { kind: 'app', appId, privateKey, installationId: env.GITHUB_APP_INSTALLATION_ID ?? null }
}
