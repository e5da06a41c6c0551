import type { ProfileName, Spec, WrittenSpec } from '../../schemas/spec/spec.ts'
import type { GatewayNames } from './names.ts'
import type { AuthorityNode } from './nodes/authority.ts'
import type { Agent, Backend, BackendSocket } from './nodes/backend.ts'
import type { ConfigFile, Container, ContainerImage, Network, Volume } from './nodes/container.ts'
import type { Gateway, Sandbox, Upstream } from './nodes/gateway.ts'
import type { BoundedDirectories, Directory, FirewallRule, Group, Link, Listener, Secret, User } from './nodes/host.ts'
import type { Client, Dns, Relay, Vhost, WebProxy } from './nodes/web.ts'

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
  readonly categories: Spec['categories']
  readonly budgets: Spec['budgets']
  readonly limits: Spec['limits']
  readonly peers: Spec['peers']
  readonly alerts: Spec['alerts']
  readonly sandbox: Sandbox
  readonly relayClient: Spec['relay']
  readonly proxy: WebProxy
  readonly client: Client | undefined
  /** In the order of their names, as everything by backend below. */
  readonly backends: readonly Backend[]
  readonly users: readonly User[]
  readonly groups: readonly Group[]
  readonly containers: readonly Container[]
  readonly configFiles: readonly ConfigFile[]
  readonly networks: readonly Network[]
  readonly volumes: readonly Volume[]
  readonly sockets: readonly BackendSocket[]
  readonly agents: readonly Agent[]
  readonly images: readonly ContainerImage[]
  readonly directories: readonly Directory[]
  /** Of these, the directory of each backend. */
  readonly boundedDirectories: readonly BoundedDirectories[]
  readonly links: readonly Link[]
  readonly secrets: readonly Secret[]
  readonly firewall: readonly FirewallRule[]
  readonly vhosts: readonly Vhost[]
  readonly dns: Dns | undefined
  /** Absent: no certificate comes from the internal CA. */
  readonly authority: AuthorityNode | undefined
  readonly relays: readonly Relay[]
  /** Every port that is listened on; nothing else may be. */
  readonly listeners: readonly Listener[]
}
