const LETS_ENCRYPT = 'letsencrypt.org'

/**
 * The record that lets one account at one CA certify a name, and by nothing but a connection to it: whoever carries the
 * connections cannot get a certificate of their own then.
 * @param directory URL of the CA's ACME directory, by which it is known
 * @see RFC 8659, RFC 8657
 */
export function caaRecord(name: string, { directory, url }: { readonly directory: string; readonly url: string }) {
  const host = new URL(directory).hostname
  const issuer = host === LETS_ENCRYPT || host.endsWith(`.${LETS_ENCRYPT}`) ? LETS_ENCRYPT : host
  return `${name}. CAA 0 issue "${issuer}; accounturi=${url}; validationmethods=tls-alpn-01"`
}
