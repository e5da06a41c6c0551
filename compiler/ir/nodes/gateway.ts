import type { Parameter, Price } from '../../../schemas/config/tuning.ts'
import type { Spec } from '../../../schemas/spec/spec.ts'
import type { AuthMode } from '../../../schemas/words/auth-modes.ts'
import type { Provider } from '../../../schemas/words/providers.ts'
import type { Node } from './node.ts'
import type { Tls, TlsServing } from './tls.ts'

/** What the daemon's `server` table says: the mapping to its configuration names every field. */
export type ServerSettings = {
  readonly host: string
  readonly port: number
  readonly p2pPort: number
  readonly allowFrom: readonly string[]
  /** Of the admin routes; empty: allowFrom. */
  readonly adminAllowFrom: readonly string[]
  /** Whose X-Forwarded-For the daemon believes, beside this host's own proxy, which has a socket of its own. */
  readonly trustedProxies: readonly string[]
  readonly proxyProtocol: boolean
  /** Origin that clients use; absent: they use addresses. */
  readonly externalUrl: string | undefined
  /** Empty: any. */
  readonly allowedHosts: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly maxBodyBytes: number
  readonly maxBufferedBytes: number
  readonly maxConnections: number
  /** undefined: the daemon's default. */
  readonly maxConnectionsPerAddress: number | undefined
  readonly maxConcurrent: number
  /** Times that are absent are left to the daemon. */
  readonly headersTimeoutMs: number | undefined
  readonly bodyTimeoutMs: number | undefined
  readonly stallTimeoutMs: number | undefined
  readonly drainTimeoutMs: number | undefined
}

export type Gateway = Node &
  ServerSettings & {
    /** Without suffix: `.service`, `.socket` and `-admin.socket` are what runs. */
    readonly unit: string
    /** Generations that apply keeps on the host. */
    readonly keepGenerations: number
    /** Image of the gateway itself, for targets that run it in a container. */
    readonly image: string | undefined
    readonly user: string
    readonly adminGroup: string
    readonly stateDirectory: string
    readonly modelsDirectory: string
    readonly runtimeDirectory: string
    readonly adminSocket: string
    /** Where this host's proxy connects. */
    readonly proxySocket: string
    readonly configDirectory: string
    readonly declaredConfig: string
    /** Environment that an administrator adds; may be absent on the host. */
    readonly environmentFile: string
    /** Where generated secrets are kept, in files called like them. */
    readonly generatedDirectory: string
    /** Unit that makes the generated secrets. */
    readonly secretsUnit: string
    /** Whose X-Forwarded-For this host's own proxy believes. */
    readonly outerProxies: readonly string[]
    readonly discovery: { readonly enabled: boolean | undefined; readonly intervalMs: number | undefined }
    /** Where it may connect to, beside the upstreams of the spec. */
    readonly network: Spec['gate']['network']
    readonly cacheBytes: number
    readonly memoryBytes: number
    readonly auth: Omit<Spec['gate']['auth'], 'mode'> & { readonly modes: readonly AuthMode[] }
    /** The first way that is set, in the order acme, files, internal CA. */
    readonly tls: Tls
    /** How the daemon itself serves it; undefined: it does not, or the proxy of this host does. */
    readonly tlsServing: TlsServing | undefined
    /** The same for a target that runs no proxy. */
    readonly tlsWithoutProxy: TlsServing | undefined
    readonly managed: Spec['gate']['managed']
    readonly usage: UsageSettings
    readonly log: Spec['gate']['log']
    readonly telemetry: Omit<Spec['gate']['telemetry'], 'headers' | 'interval'> & {
      readonly intervalMs: number | undefined
    }
  }

/** What is kept of requests, and how long. */
export type UsageSettings = {
  readonly retentionMs: number | undefined
  readonly totalsRetentionMs: number | undefined
  readonly textRetentionMs: number | undefined
  readonly textOfKeys: readonly string[]
  readonly textOfModels: readonly string[]
}

/** A provider that requests can go to. */
export type Upstream = Node & {
  readonly name: string
  readonly enabled: boolean
  readonly provider: Provider
  readonly baseUrl: string | undefined
  readonly socket: string | undefined
  readonly models: readonly string[] | undefined
  readonly keyRequestsPerMinute: number | undefined
  readonly dialects: Spec['upstreams'][string]['dialects']
  readonly parameters: readonly Parameter[] | undefined
  readonly systemPrefix: string | undefined
  readonly toolArguments: Spec['upstreams'][string]['tool_arguments']
  readonly prices: readonly Price[] | undefined
  readonly timeoutMs: number
  readonly idleTimeoutMs: number
  readonly connectTimeoutMs: number
}

export type Sandbox = Omit<Spec['sandbox'], 'timeout' | 'memory'> & {
  readonly timeoutMs: number
  readonly memoryBytes: number
}
