/** A repository of a GitHub server. */
export interface Address {
  readonly owner: string
  readonly name: string
  /** `github.com/owner/name`, in lower case: GitHub takes every spelling of a name for one. */
  readonly slug: string
}

/**
 * Reads the address of a repository that lives on this server: `https://HOST/OWNER/NAME(.git)`, the same by ssh, or
 * `user@HOST:OWNER/NAME`. `null`: it lives elsewhere, or names no repository. Over http only where the server itself
 * is spoken to by http.
 */
export function readAddress(repo: string, serverUrl: string): Address | null {
  const server = new URL(serverUrl)
  const found = readUrl(repo, server) ?? readScpLike(repo, server)
  if (found === null) return null
  const [, owner, name] = /^\/*([^/]+)\/([^/]+?)(?:\.git)?\/*$/.exec(found) ?? []
  if (owner === undefined || name === undefined) return null
  return { owner, name, slug: `${server.host}/${owner}/${name}`.toLowerCase() }
}

function readUrl(repo: string, server: URL): string | null {
  if (!/^(?:https?|ssh):\/\//.test(repo) || !URL.canParse(repo)) return null
  const url = new URL(repo)
  const same =
    url.protocol === 'ssh:'
      ? url.hostname === server.hostname
      : url.protocol === server.protocol && url.host === server.host
  return same ? url.pathname : null
}

function readScpLike(repo: string, server: URL): string | null {
  const [, host, path] = /^(?:[^@/:]+@)?([^@/:]+):(?!\/\/)(.+)$/.exec(repo) ?? []
  return host === server.hostname && path !== undefined ? `/${path}` : null
}
