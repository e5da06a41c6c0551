import type { Spec } from '../../../schemas/spec/spec.ts'
import type { Address, Node } from './node.ts'

export type WebProxy = Omit<Spec['proxy'], 'hsts'> & { readonly hstsMs: number }

export type Vhost = Node & {
  readonly host: string
  readonly kind: 'gateway' | 'app'
  readonly upstream: Address
  readonly maxBodyBytes: number
}

export type Dns = Node & {
  readonly listen: { readonly kind: 'interface' | 'address'; readonly value: string }
  readonly port: number
  readonly domain: string
  /** They all point to the address of `listen`. */
  readonly names: readonly string[]
  readonly forward: readonly string[]
}

/** What machines of users need to reach the gateway by its names: trust in its CA, and its name server. */
export type Client = Node & {
  /** CA certificate, PEM, on this host; absent: nothing to trust. */
  readonly ca: string | undefined
  /** The proxy hands out the installer here, over HTTP; absent: there is no proxy. */
  readonly port: number | undefined
  /** Where the installer is on this host. */
  readonly directory: string
}

export type Relay = Node & {
  readonly instance: string
  /** Template; `<unit>@<instance>.service` is what runs. */
  readonly unit: string
  readonly bindAddress: string
  readonly httpsPort: number
  readonly p2pPort: number
  /** On the loopback; absent: no metrics. */
  readonly metricsPort: number | undefined
  readonly logLevel: string
  readonly domainSuffix: string | undefined
  readonly allowFrom: readonly string[]
  readonly trustedProxies: readonly string[]
  readonly publicAddress: string | undefined
  /** Tables of the relay's configuration as they are written, without secrets; undefined: its defaults. */
  readonly invite: RelayTable | undefined
  readonly registry: RelayTable | undefined
  readonly limits: RelayTable | undefined
  readonly tls: RelayTable | undefined
  readonly dns:
    | { readonly provider: string; readonly zoneId: string | undefined; readonly rfc2136: RelayTable | undefined }
    | undefined
  /** Whether it connects to others: a name server or its API, etcd and other relays, a CA. */
  readonly isDialling: boolean
}

export type RelayTable = Readonly<Record<string, unknown>>
