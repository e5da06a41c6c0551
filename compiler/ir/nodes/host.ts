import type { SecretReference } from '../../../schemas/spec/spec.ts'
import type { Ulimit } from './container.ts'
import type { Node } from './node.ts'

export type User = Node & {
  readonly name: string
  /** Absent: the host picks a system id (sysusers.d). */
  readonly uid: number | undefined
  readonly home: string
  readonly groups: readonly string[]
  /** Subordinate user and group ids for rootless containers. */
  readonly subuid: { readonly start: number; readonly count: number } | undefined
  readonly linger: boolean
  /** What its processes may have at most, as far as the host's own limits are too low. */
  readonly limits: readonly Ulimit[]
  readonly description: string
}

export type Group = Node & { readonly name: string }

export type Directory = Node & {
  readonly path: string
  /** Octal permission bits. */
  readonly mode: number
  readonly user: string
  readonly group: string
}

/** Directories below /run, each a file system of its own: what fills one fills nothing else of the host. */
export type BoundedDirectories = Node & {
  readonly paths: readonly string[]
  /** Of the host; makes them. */
  readonly unit: string
  readonly user: string
  /** The manager of this user needs them. */
  readonly uid: number
  /** Of each. */
  readonly bytes: number
  readonly inodes: number
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

export type Listener = Node & {
  readonly port: number
  readonly protocol: 'tcp' | 'udp'
  /** "*" for every address, or an address, or an interface. */
  readonly host: string
}
