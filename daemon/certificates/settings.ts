import type { CloudflareAccount } from '../../pki/acme/dns/cloudflare.ts'
import type { UpdateServer } from '../../pki/acme/dns/rfc2136.ts'

export type DnsSettings =
  | ({ readonly provider: 'cloudflare' } & CloudflareAccount)
  | ({ readonly provider: 'rfc2136' } & UpdateServer)

/** How certificates are got from a CA. */
export type AcmeSettings = {
  readonly directory: string
  /** File of the CA that the directory is trusted by, PEM; undefined: those that Node knows. */
  readonly caFile: string | undefined
  readonly email: string | undefined
  readonly key: 'ecdsa' | 'rsa'
  /** A key that is missing is told when the account is registered. */
  readonly eab: { readonly kid: string; readonly hmac: string | undefined } | undefined
  /** The only names that are ever ordered, lower case. */
  readonly names: readonly string[]
  /** Names that relays lead here, which come and go; always proven by tls-alpn-01; absent: none. */
  readonly relayed?: () => readonly string[]
  readonly challenge: 'tls-alpn-01' | 'http-01' | 'dns-01'
  /** For dns-01. */
  readonly dns: DnsSettings | undefined
  /** Name servers that are asked about the zone, as Node's resolver takes them; empty: the system's. */
  readonly resolvers: readonly string[]
}

/** Where certificates come from, in the order in which they are served. */
export type CertificateSettings = {
  readonly acme: AcmeSettings | undefined
  readonly tailscale: { readonly names: readonly string[]; readonly socket: string } | undefined
  readonly files: { readonly cert: string; readonly key: string } | undefined
  /** Names and addresses of the certificate by the CA of this host. */
  readonly internalCa: { readonly names: readonly string[] } | undefined
}
