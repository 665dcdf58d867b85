import { isIPv4, isIPv6 } from 'node:net'

/** A repository as it was written, understood; or why it cannot be taken, and what to write instead. */
export type ReadUrl =
  | { kind: 'remote'; url: string; local: boolean }
  /** A folder of this machine. */
  | { kind: 'path'; path: string }
  | { kind: 'refused'; message: string }

const defaultPorts: Readonly<Record<string, string>> = { https: '443', http: '80', ssh: '22', git: '9418' }

/** What may stand in a path; everything else has to be percent-encoded. */
const pathPattern = /^[A-Za-z0-9._~!$&'()*+,;=:@%/-]*$/
const userPattern = /^[A-Za-z0-9._][A-Za-z0-9._-]*$/

/** Whether the text has the form of a URL, of `host:path`, or of one of git's remote helpers; else it is a path. */
export function isAddress(repo: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(repo) || /^[^/]*:/.test(repo)
}

/**
 * Reads an address that is no plain path, into the one way to write it: lower-case host, no default port, no slash at
 * the end. `.git` at the end is left as it is, but where it surely makes no difference.
 */
export function readUrl(repo: string): ReadUrl {
  const [, scheme, rest] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s.exec(repo) ?? []
  if (scheme === undefined || rest === undefined) return readScpLike(repo)
  const name = scheme.toLowerCase()
  switch (name) {
    case 'file':
      return readFileUrl(rest)
    case 'https':
    case 'http':
    case 'ssh':
    case 'git':
      return readRemote(name, rest)
    default:
      return refused(`${name}:// is not taken; use https:// or ssh://`)
  }
}

function readRemote(scheme: 'https' | 'http' | 'ssh' | 'git', rest: string): ReadUrl {
  const [, authority = '', path = ''] = /^([^/?#\\]*)(.*)$/s.exec(rest) ?? []
  const at = authority.lastIndexOf('@')
  const user = at === -1 ? null : authority.slice(0, at)
  const place = readHost(authority.slice(at + 1), scheme)
  if (typeof place === 'string') return refused(place)
  if (user !== null) {
    if (scheme !== 'ssh' || user.includes(':')) {
      return refused(
        'a name or password in the address is not taken; put them into the file that NIGHTSHIFT_GIT_CREDENTIALS names, and leave out what stands before the @',
      )
    }
    if (!userPattern.test(user)) return refused('the user name before the @ is not one that ssh takes')
  }
  if (!place.loopback && scheme === 'http') {
    return refused(
      'http:// is taken for this machine alone, since anyone on the way could read and change it; use https://',
    )
  }
  if (!place.loopback && scheme === 'git') {
    return refused(
      'git:// is taken for this machine alone, since anyone on the way could change it; use https://',
    )
  }
  const fault = pathFault(path)
  if (fault !== null) return refused(fault)
  const { host, port } = place
  const name = user === null ? host : `${user}@${host}`
  return {
    kind: 'remote',
    url: `${scheme}://${name}${port === null ? '' : `:${port}`}${plainPath(path, scheme, host)}`,
    local: place.loopback,
  }
}

// git@host:path, the path being relative to the user's home over there.
function readScpLike(repo: string): ReadUrl {
  if (/^[A-Za-z0-9_+.-]*::/.test(repo)) {
    return refused('remote helpers of git such as ext:: are not taken; use https:// or ssh://')
  }
  const [, user, name = '', path = ''] = /^(?:([^@:/]*)@)?([^@:/]*):(.*)$/s.exec(repo) ?? []
  if (user === undefined && /^(?:file|git|https?|ssh)$/i.test(name)) {
    return refused(`write two slashes behind ${name}:`)
  }
  const place = readHost(name, 'ssh')
  if (typeof place === 'string') return refused(place)
  if (user !== undefined && !userPattern.test(user)) {
    return refused('the user name before the @ is not one that ssh takes')
  }
  const fault = pathFault(path.startsWith('/') ? path : `/${path}`)
  if (fault !== null) return refused(fault)
  if (/%/.test(path)) return refused('an address like host:path takes no % escapes; use ssh://')
  const who = user === undefined ? '' : `${user}@`
  return {
    kind: 'remote',
    url: `${who}${place.host}:${plainPath(path, 'ssh', place.host)}`,
    local: place.loopback,
  }
}

function readFileUrl(rest: string): ReadUrl {
  const [, host, path] = /^([^/]*)(\/.*)$/s.exec(rest) ?? []
  if (path === undefined || (host !== '' && host?.toLowerCase() !== 'localhost')) {
    return refused('a file:// address must have the form file:///absolute/path')
  }
  if (/[?#]/.test(path)) return refused('a file:// address takes no ? or #; write them as %3F and %23')
  try {
    return { kind: 'path', path: decodeURIComponent(path) }
  } catch {
    return refused('the address has a bad % escape')
  }
}

interface Host {
  readonly host: string
  /** `null`: the scheme's own. */
  readonly port: string | null
  readonly loopback: boolean
}

function readHost(text: string, scheme: string): Host | string {
  const [, written = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(text) ?? []
  if (port !== undefined && !(/^[1-9][0-9]{0,4}$/.test(port) && Number(port) <= 65_535)) {
    return 'the port must be a number from 1 to 65535'
  }
  const host = written.toLowerCase()
  const kept = port === undefined || port === defaultPorts[scheme] ? null : port
  if (host.startsWith('[')) {
    const address = host.slice(1, -1)
    if (!isIPv6(address) || address.includes('%')) return `${JSON.stringify(written)} is not an IPv6 address`
    const canonical = new URL(`http://${host}/`).hostname
    return { host: canonical, port: kept, loopback: canonical === '[::1]' }
  }
  if (host === '') return 'the address has no host'
  // oxlint-disable-next-line no-control-regex -- ASCII is what is meant
  if (/[^\x00-\x7f]/.test(host)) return 'write the name of the host in ASCII, as xn--…'
  if (host.startsWith('-')) return 'the name of a host does not begin with a dash'
  if (host.endsWith('.')) return 'leave out the dot at the end of the host'
  const labels = host.split('.')
  const isName =
    host.length <= 253 && labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))
  if (!isName) return `${JSON.stringify(written)} is not the name of a host`
  // Programs read 127.1, 0x7f.1 and 2130706433 as addresses, each in its own way.
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '') && !isIPv4(host)) {
    return `${JSON.stringify(written)} is not an IPv4 address of four decimal numbers`
  }
  return { host, port: kept, loopback: host === 'localhost' || (isIPv4(host) && host.startsWith('127.')) }
}

function pathFault(path: string): string | null {
  if (/[?#]/.test(path)) return 'the address of a repository takes no ? or #'
  if (!pathPattern.test(path))
    return 'the path has characters that must be percent-encoded, such as spaces or \\'
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) return 'the address has a bad % escape'
  if (/%(?:[01][0-9a-f]|7f|2e|2f|5c|25)/i.test(path))
    return 'the path must not hide dots, slashes or control characters'
  const parts = path.replace(/\/+$/, '').split('/').slice(1)
  if (parts.length === 0) return 'the address names no repository, only a host'
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    return 'the path must not have empty parts, . or ..'
  }
  return /^~?-/.test(parts[0] ?? '') ? 'the path does not begin with a dash' : null
}

// GitHub serves both spellings and says that they are one. GitLab sends the one without .git to the one with it.
function plainPath(path: string, scheme: string, host: string): string {
  const trimmed = path.replace(/\/+$/, '')
  if (host === 'github.com') return trimmed.replace(/\.git$/, '')
  return host === 'gitlab.com' && scheme === 'https' ? trimmed.replace(/(?:\.git)?$/, '.git') : trimmed
}

function refused(message: string): ReadUrl {
  return { kind: 'refused', message }
}
