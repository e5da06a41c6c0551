import type { SpecPath } from '../../../schemas/spec/path.ts'
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
  /** What has to be in the models directory before it starts: paths on the host. */
  readonly models: readonly string[]
  /**
   * Of what `configFiles` of the deployment say, so that a change of it is a change of the container; absent: it has
   * none.
   */
  readonly configDigest: string | undefined
  /** engine: user 1000 inside is the backend's account outside. image: the root of the image is. */
  readonly runsAs: 'engine' | 'image'
  readonly ulimits: readonly Ulimit[]
  readonly timeZone: string | undefined
  readonly network: ContainerNetwork
  /** Names for its own loopback, where ports of other backends are. */
  readonly links: readonly string[]
  /** Command inside that gets the model once the engine answers. */
  readonly fetch: readonly string[] | undefined
  /** Where it listens inside; absent: on a Unix socket. */
  readonly port: number | undefined
  /** Ports of the host's loopback; the gateway uses none of them. */
  readonly publish: readonly Publish[]
  /** Where the process id of its first process is written, below the runtime directory of its user. */
  readonly pidFile: string | undefined
  /** Starts with it, and ends with it. */
  readonly socketUnit: string | undefined
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
  /** Until the first check that succeeds. */
  readonly startIntervalMs: number
  readonly timeoutMs: number
  readonly retries: number
  readonly startPeriodMs: number
}

export type Mount =
  | {
      readonly kind: 'path'
      readonly origin: SpecPath
      readonly source: string
      readonly target: string
      readonly readOnly: boolean
      /** Of SELinux; absent: as it is. */
      readonly relabel?: 'shared' | 'private' | undefined
    }
  /** `owned`: it is given to user 1000 where the image has a directory of another user in its place. */
  | {
      readonly kind: 'volume'
      readonly origin: SpecPath
      readonly unit: string
      readonly target: string
      readonly owned: boolean
    }

/** `value` is bytes or a number; absent: unlimited. */
export type Ulimit = { readonly name: 'memlock' | 'nofile' | 'stack'; readonly value: number | undefined }

/** A file of one container that the spec itself holds. */
export type ConfigFile = Node & {
  readonly uid: number
  readonly backend: string
  /** Where it is on the host. */
  readonly path: string
  readonly text: string
}

export type ContainerNetwork =
  | { readonly kind: 'none' }
  /** No way out, but published ports lead in. */
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
