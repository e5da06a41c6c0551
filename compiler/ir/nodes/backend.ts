import type { Engine } from '../../../schemas/spec/spec.ts'
import type { Secret } from './host.ts'
import type { Address, Node } from './node.ts'

/** A local engine as the daemon sees it. */
export type Backend = Node & {
  readonly name: string
  readonly engine: Engine
  /** Answers the OpenAI API, so the daemon has it as an upstream. */
  readonly isUpstream: boolean
  /** Id that the engine answers to. */
  readonly model: string | undefined
  readonly group: string | undefined
  /** Those of its group with the same word run at the same time. */
  readonly together: string | undefined
  /** Within its group, the higher is served first. */
  readonly priority: number
  /** Requests at a time; absent: no limit. */
  readonly maxConcurrent: number | undefined
  readonly maxWaiting: number
  readonly waitTimeoutMs: number
  /** An amount such as "0.80 USD"; absent: its requests cost nothing. */
  readonly pricePerHour: string | undefined
  /** Absent: it never stops on its own. */
  readonly idleStopMs: number | undefined
  readonly startTimeoutMs: number
  readonly address: Address
  /** Where the daemon finds the key that it presents, when the engine demands one. */
  readonly apiKey: Secret | undefined
  readonly agentSocket: string
  readonly user: string
  readonly unit: string
}

/** Where the engine of a container listens, as its proxy reaches it. */
export type EngineAddress =
  | { readonly kind: 'unix'; readonly path: string }
  /**
   * On the loopback of the container's own network, which nobody else on the host is in; `pidFile` is below the runtime
   * directory of its user.
   */
  | { readonly kind: 'inside'; readonly port: number; readonly pidFile: string }

/**
 * A socket with a forwarding service. On demand it wakes the container on the first connection and lets it go when
 * idle; otherwise it is there as long as the container runs.
 */
export type BackendSocket = Node & {
  readonly user: string
  readonly uid: number
  readonly home: string
  readonly socketUnit: string
  readonly proxyUnit: string
  readonly containerUnit: string
  readonly path: string
  readonly target: EngineAddress
  readonly onDemand: boolean
  /** Absent: it never stops on its own. */
  readonly idleMs: number | undefined
  /** Started with the host, without a connection. */
  readonly preload: boolean
}

/** gate-agent in one backend's account. */
export type Agent = Node & {
  readonly user: string
  readonly uid: number
  readonly home: string
  readonly path: string
  /** Where it serves shells, and nothing else. */
  readonly shellPath: string
  /** Account that may give it orders, beside root, and that gets no shell. */
  readonly gateway: string
  /** Group whose members may open a shell, beside root. */
  readonly admins: string
  /** All that it may touch: the units of its backend, */
  readonly containerUnit: string
  readonly onDemand: { readonly socketUnit: string; readonly proxyUnit: string } | undefined
  /** its container, and the images of it. */
  readonly containerName: string
  readonly images: readonly string[]
  /** Absolute path; what these images are loaded from instead of a registry. */
  readonly imageArchive: string | undefined
}
