import type { SpecPath } from '../../schemas/spec/path.ts'
import type { Engine, GpuKind, ProfileName, SecretReference, Spec, WrittenSpec } from '../../schemas/spec/spec.ts'
import type { Provider } from '../../schemas/words/providers.ts'
import type { GatewayNames } from './names.ts'

/**
 * Everything one spec asks of a host, explicit: no default is left to fill in, no name left to make up. Emitters
 * read nothing else. Every node carries `origin`, the part of the spec it comes from.
 * Durations are milliseconds, sizes bytes. The whole is frozen.
 */
export type Deployment = {
  readonly prefix: string
  readonly names: GatewayNames
  readonly profile: ProfileName
  readonly domain: string | undefined
  /** The spec without its defaults, for the one target that hands it on to this compiler on another host. */
  readonly written: WrittenSpec
  readonly gateway: Gateway
  readonly upstreams: readonly Upstream[]
  readonly models: Spec['models']
  readonly budgets: readonly Budget[]
  readonly sandbox: Sandbox
  readonly relayClient: Spec['relay']
  readonly proxy: WebProxy
  readonly client: Client | undefined
  /** In the order of their names, as everything by backend below. */
  readonly backends: readonly Backend[]
  readonly users: readonly User[]
  readonly groups: readonly Group[]
  readonly containers: readonly Container[]
  readonly networks: readonly Network[]
  readonly volumes: readonly Volume[]
  readonly sockets: readonly IdleSocket[]
  readonly agents: readonly Agent[]
  readonly images: readonly ContainerImage[]
  readonly directories: readonly Directory[]
  readonly links: readonly Link[]
  readonly secrets: readonly Secret[]
  readonly firewall: readonly FirewallRule[]
  readonly vhosts: readonly Vhost[]
  readonly dns: Dns | undefined
  readonly relays: readonly Relay[]
  /** Every port somebody listens on; nothing else may. */
  readonly listeners: readonly Listener[]
}

type Node = { readonly origin: SpecPath }

/** What the daemon's `server` table says: the mapping to its configuration names every field. */
export type ServerSettings = {
  readonly host: string
  readonly port: number
  readonly p2pPort: number
  readonly allowFrom: readonly string[]
  /** Whose X-Forwarded-For the daemon believes; this host's own proxy is one. */
  readonly trustedProxies: readonly string[]
  /** Empty: any. */
  readonly allowedHosts: readonly string[]
  readonly maxBodyBytes: number
  readonly maxBufferedBytes: number
  readonly maxConnections: number
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
    readonly configDirectory: string
    readonly declaredConfig: string
    /** Environment that an administrator adds; may be absent on the host. */
    readonly environmentFile: string
    /** Where generated secrets are kept, in files called like them. */
    readonly generatedDirectory: string
    /** Unit that makes the generated secrets. */
    readonly secretsUnit: string
    readonly adminAllowFrom: readonly string[]
    /** Whose X-Forwarded-For this host's own proxy believes. */
    readonly outerProxies: readonly string[]
    readonly discovery: { readonly enabled: boolean | undefined; readonly intervalMs: number | undefined }
    readonly cacheBytes: number
    readonly memoryBytes: number
    readonly auth: Omit<Spec['gate']['auth'], 'mode'> & { readonly modes: readonly AuthMode[] }
    /** The first way that is set, in the order acme, files, internal CA. */
    readonly tls: Tls
    readonly log: Spec['gate']['log']
  }

export type AuthMode = Exclude<Spec['gate']['auth']['mode'], readonly unknown[]>

export type Tls =
  | ({ readonly kind: 'acme' } & NonNullable<Spec['gate']['tls']['acme']>)
  | { readonly kind: 'files'; readonly cert: string; readonly key: string }
  | { readonly kind: 'internal-ca' }
  | { readonly kind: 'none' }

/** A provider that requests can go to. */
export type Upstream = Node & {
  readonly name: string
  readonly enabled: boolean
  readonly provider: Provider
  readonly baseUrl: string | undefined
  readonly socket: string | undefined
  readonly models: readonly string[] | undefined
  readonly timeoutMs: number
  readonly idleTimeoutMs: number
  readonly connectTimeoutMs: number
}

export type Budget = Node & {
  readonly name: string
  readonly limitMicrodollars: number
  readonly window: Spec['budgets'][string]['window']
}

export type Sandbox = Omit<Spec['sandbox'], 'timeout' | 'memory'> & {
  readonly timeoutMs: number
  readonly memoryBytes: number
}

export type WebProxy = Omit<Spec['proxy'], 'hsts'> & { readonly hstsMs: number }

/** A local engine as the daemon sees it. */
export type Backend = Node & {
  readonly name: string
  readonly engine: Engine
  /** Answers the OpenAI API, so the daemon has it as an upstream. */
  readonly isUpstream: boolean
  /** Id that the engine answers to. */
  readonly model: string | undefined
  readonly group: string | undefined
  /** Requests at a time; absent: no limit. */
  readonly maxConcurrent: number | undefined
  readonly maxWaiting: number
  readonly waitTimeoutMs: number
  /** Absent: it never stops by itself. */
  readonly idleStopMs: number | undefined
  readonly startTimeoutMs: number
  readonly address: Address
  /** Where the daemon finds the key that it presents, when the engine demands one. */
  readonly apiKey: Secret | undefined
  readonly agentSocket: string
  readonly user: string
  readonly unit: string
}

export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }

export type User = Node & {
  readonly name: string
  /** Absent: the host picks a system id (sysusers.d). */
  readonly uid: number | undefined
  readonly home: string
  readonly groups: readonly string[]
  /** Subordinate user and group ids for rootless containers. */
  readonly subuid: { readonly start: number; readonly count: number } | undefined
  readonly linger: boolean
  readonly description: string
}

export type Group = Node & { readonly name: string }

export type Container = Node & {
  readonly user: string
  readonly uid: number
  /** File name without suffix; `<unit>.service` is what runs. */
  readonly unit: string
  readonly name: string
  readonly description: string
  readonly image: string
  /** Where apply loads the image from, instead of a pull. */
  readonly imageArchive: string | undefined
  readonly pull: 'never' | 'missing'
  /** Replaces the image's own entry point. */
  readonly entrypoint: string | undefined
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly environmentFile: string | undefined
  readonly mounts: readonly Mount[]
  readonly network: ContainerNetwork
  readonly publish: readonly Publish[]
  readonly gpu: GpuKind
  /** CDI names for nvidia, paths in /dev otherwise. */
  readonly devices: readonly string[]
  /** Whether the groups of its user (models, GPU devices) hold inside. */
  readonly keepGroups: boolean
  readonly memoryBytes: number | undefined
  /** CPUs, such as 1.5. */
  readonly cpus: number | undefined
  readonly pids: number
  readonly shmBytes: number | undefined
  readonly readOnly: boolean
  readonly notify: 'healthy' | 'started'
  readonly health: Health | undefined
  readonly startTimeoutMs: number
  readonly stopTimeoutMs: number
  /** Started by its socket and stopped when nobody uses it, instead of always on. */
  readonly onDemand: boolean
  readonly labels: Readonly<Record<string, string>>
}

export type Health = {
  readonly command: readonly string[]
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly retries: number
  readonly startPeriodMs: number
}

export type Mount =
  | { readonly kind: 'path'; readonly source: string; readonly target: string; readonly readOnly: boolean }
  | { readonly kind: 'volume'; readonly unit: string; readonly target: string }

export type ContainerNetwork =
  | { readonly kind: 'none' }
  /** No way out, but ports of the host's loopback lead in. */
  | { readonly kind: 'internal'; readonly unit: string }
  /** The internet, and these ports of the host's loopback under 127.0.0.1. */
  | { readonly kind: 'outbound'; readonly hostPorts: readonly number[] }

export type Publish = { readonly host: string; readonly hostPort: number; readonly containerPort: number }

/** An internal network of one container. */
export type Network = Node & {
  readonly user: string
  readonly uid: number
  readonly unit: string
  readonly podmanName: string
}

export type Volume = Node & {
  readonly user: string
  readonly uid: number
  readonly unit: string
  readonly podmanName: string
}

/** Wakes a container on the first connection, and lets it go when idle: a socket with a forwarding service. */
export type IdleSocket = Node & {
  readonly user: string
  readonly uid: number
  readonly home: string
  readonly socketUnit: string
  readonly proxyUnit: string
  readonly containerUnit: string
  readonly path: string
  readonly target: Address
  /** Absent: it never stops by itself. */
  readonly idleMs: number | undefined
}

/** gate-agent in one backend's account. */
export type Agent = Node & {
  readonly user: string
  readonly uid: number
  readonly home: string
  readonly path: string
  /** Account that may give it orders, beside root. */
  readonly gateway: string
  /** All that it may touch: the units of its backend, */
  readonly containerUnit: string
  readonly onDemand: { readonly socketUnit: string; readonly proxyUnit: string } | undefined
  /** its container, and the images of it. */
  readonly containerName: string
  readonly images: readonly string[]
  /** Absolute path; what these images are loaded from instead of a registry. */
  readonly imageArchive: string | undefined
}

/** The image of one backend, which its user's podman needs before the container starts. */
export type ContainerImage = Node & {
  /** Of the backend. */
  readonly name: string
  readonly uid: number
  readonly home: string
  /** Of the container, without suffix. */
  readonly unit: string
  readonly image: string
  /** Absolute path; absent: it comes from a registry. */
  readonly archive: string | undefined
  /** Units that take up a new image, in this order. */
  readonly restart: readonly string[]
}

export type Directory = Node & {
  readonly path: string
  /** Octal permission bits. */
  readonly mode: number
  readonly user: string
  readonly group: string
}

export type Link = Node & { readonly path: string; readonly target: string }

/** A secret and the file it is handed over in. */
export type Secret = Node & {
  readonly name: string
  /** `generated`: made once at apply and kept. */
  readonly source: SecretReference | { readonly generated: true }
  readonly destination:
    | { readonly kind: 'daemon'; readonly credential: string }
    | { readonly kind: 'relay'; readonly instance: string; readonly credential: string }
    /** A line NAME=value in an environment file that only its user reads, written by `unit`. */
    | {
        readonly kind: 'environment'
        readonly file: string
        readonly user: string
        readonly uid: number
        readonly variable: string
        readonly unit: string
      }
}

export type FirewallRule = Node & {
  readonly port: number
  readonly protocol: 'tcp' | 'udp'
  /** Absent: every interface. */
  readonly interface: string | undefined
}

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
  /** Where the installer lies on this host. */
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
  readonly dns: { readonly provider: string; readonly zoneId: string | undefined } | undefined
}

export type Listener = Node & {
  readonly port: number
  readonly protocol: 'tcp' | 'udp'
  /** "*" for every address, or an address, or an interface. */
  readonly host: string
}
