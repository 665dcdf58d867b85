import tls from 'node:tls'

let trusted = false

/**
 * Lets this process's own TLS connections trust what the machine trusts, as git and curl do: a company's own authority,
 * mostly. Takes some 100 ms and 10 MB, so it is left to those who are about to connect. Nothing on a Node that cannot
 * (before 22.19), where NODE_EXTRA_CA_CERTS does it.
 */
export function trustSystemCertificates(): void {
  if (trusted || typeof tls.setDefaultCACertificates !== 'function') return
  trusted = true
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), ...tls.getCACertificates('system')])
}
