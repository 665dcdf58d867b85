import { RemoteFailure, type RemoteFault } from '../ports/publisher.ts'
import type { RunResult } from '../process/run.ts'
import { wordsOf } from './git-command.ts'

interface Sign {
  readonly words: RegExp
  readonly fault: RemoteFault
  /** What it means and what to do; git's own words follow. */
  readonly says: string
}

// What git 2.39 and later print with LC_ALL=C. The first that fits counts: the exact ones stand before the general.
const signs: readonly Sign[] = [
  {
    words: /Could not resolve proxy|returned error: 407|response 407/i,
    fault: 'unreachable',
    says: 'the proxy of this machine cannot be used',
  },
  {
    words:
      /Could not resolve host|unable to look up|Name or service not known|Temporary failure in name resolution/i,
    fault: 'host_unknown',
    says: 'the name of the host is not known; look for a typing error',
  },
  {
    words: /Host key verification failed/i,
    fault: 'credentials_refused',
    says: 'the host key of the server is not known or has changed; add it to known_hosts',
  },
  {
    words:
      /Permission denied \(|Too many authentication failures|Load key .* (?:invalid|error)|no matching host key/i,
    fault: 'credentials_refused',
    says: 'the server takes none of the ssh keys of the user that Nightshift runs as',
  },
  {
    words: /could not read (?:Username|Password)|terminal prompts disabled/i,
    fault: 'credentials_refused',
    says: 'the repository needs credentials: set NIGHTSHIFT_GIT_CREDENTIALS or, for GitHub, GITHUB_TOKEN',
  },
  {
    words: /Authentication failed|returned error: 40[13]|HTTP 40[13]|access denied|Invalid credentials/i,
    fault: 'credentials_refused',
    says: 'the server refuses the credentials; they may be wrong, out of date, or without the right to do this',
  },
  {
    words: /returned error: 30\d|unable to update url base from redirection/i,
    fault: 'repository_not_found',
    says: 'the server sends elsewhere, which is not followed; name the repository by its new address (GitLab wants .git at the end)',
  },
  {
    words: /detected dubious ownership|unsafe repository/i,
    fault: 'repository_not_found',
    says: 'the repository belongs to another user, and git at the other end will not open it',
  },
  {
    words:
      /returned error: 4(?:04|10)|repository .* not found|Repository not found|does not appear to be a git repository|not a git repository|invalid gitfile format|is this a git repository|project you were looking for could not be found|access denied or repository not exported|no such repository/i,
    fault: 'repository_not_found',
    says: 'there is no repository, or these credentials cannot see it',
  },
  {
    words: /SSL certificate|server certificate|certificate verif|unable to get local issuer|CAfile/i,
    fault: 'unreachable',
    says: 'the certificate of the server cannot be trusted; if it is your own authority, set GIT_SSL_CAINFO',
  },
  {
    words: /returned error: (?:5\d\d|408|425|429)|HTTP (?:5\d\d|408|425|429)/i,
    fault: 'unreachable',
    says: 'the server has a fault of its own',
  },
  {
    words:
      /Connection refused|Failed to connect|Couldn't connect|unable to connect|No route to host|Network is unreachable/i,
    fault: 'unreachable',
    says: 'nothing answers at this address',
  },
  {
    words:
      /timed? ?out|Operation too slow|Connection reset|Empty reply|early EOF|hung up|transfer closed|unexpected disconnect|Broken pipe|RPC failed|SSL|TLS|gnutls|Recv failure|Send failure|bad line length|protocol error|unexpected EOF|expected flush|Connection closed/i,
    fault: 'unreachable',
    says: 'the connection broke',
  },
]

/** What a failed connection means; `null`: its words are not known as those of a remote. */
export function remoteFailure(
  ended: RunResult,
  repo: string,
  branch: string | null = null,
): RemoteFailure | null {
  const facts = { repo, branch }
  if (ended.ended === 'timed_out') {
    return new RemoteFailure('unreachable', { ...facts, message: `${repo}: no answer in time` })
  }
  if (ended.ended !== 'exited') return null
  const sign = signs.find(({ words }) => words.test(ended.stderr))
  if (sign === undefined) return null
  return new RemoteFailure(sign.fault, { ...facts, message: `${repo}: ${sign.says} (${wordsOf(ended)})` })
}

/** As {@link remoteFailure}; what is not known may pass, and is tried again. */
export function anyRemoteFailure(
  ended: RunResult,
  repo: string,
  branch: string | null = null,
): RemoteFailure {
  return (
    remoteFailure(ended, repo, branch) ??
    new RemoteFailure('unreachable', {
      repo,
      branch,
      message: `${repo}: git could not use it (${wordsOf(ended)})`,
    })
  )
}
