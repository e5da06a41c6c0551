import type { GpuKind } from '../../../schemas/spec/spec.ts'
import type { Node } from './node.ts'

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
  /** Started by its socket and stopped when it is not in use, instead of always on. */
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
