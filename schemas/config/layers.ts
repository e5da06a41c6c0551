import type { ConfigCode } from '../words/error-codes.ts'

/**
 * What the daemon and gatectl tell each other about configuration. Values of secret keys are always `{ secret: true }`,
 * with a `fingerprint` where that gives nothing away.
 */

/** `socket`: what systemd passes to the daemon, which decides where it listens. */
export type LayerName = 'socket' | 'env' | 'runtime' | 'declared' | 'defaults'

/** A value as it may be shown: never the text of a secret, `{ secret: true }` or `{ secret: true, fingerprint }` instead. */
export type ShownValue = unknown
export const SECRET_PLACEHOLDER = { secret: true } as const

export type LayerValue = {
  readonly layer: LayerName
  readonly set: boolean
  readonly value?: ShownValue
  /** Where it was set: an environment name, a credential, `file:line:col`, or `built in`. */
  readonly source?: string
  /** Why this key of an upstream is not sent. */
  readonly withheld?: string
}

export type Explanation = {
  readonly key: string
  /** What is configured; with a restart pending, not yet what runs. */
  readonly value: ShownValue
  /** Whether the value waits for a restart and an older one is in force. */
  readonly waiting: boolean
  /** The layer that wins; absent when no layer sets the key. */
  readonly winner?: LayerName
  /** Strongest first: env, runtime, declared, defaults; socket before them for the keys that one decides. */
  readonly layers: readonly LayerValue[]
  readonly description?: string
  readonly restart: boolean
  /** How it is changed, where no edit of the configuration does. */
  readonly change?: string
}

/** Something wrong in a layer: where, what, what to do. Never holds the text of a secret. */
export type ConfigProblem = {
  readonly code: ConfigCode
  readonly layer: LayerName
  /** `file:line:col`, an environment name, or a credential path. */
  readonly where: string
  readonly key?: string
  readonly message: string
  readonly hint?: string
}

/** Answer of an edit or a reload: what changed, and what of it waits for a restart. */
export type ConfigChange = {
  readonly changed: readonly string[]
  readonly restart: readonly string[]
  /** Keys that were written but that a stronger layer hides. */
  readonly shadowed: readonly string[]
  /** Problems that were worked around (last good file used). */
  readonly problems: readonly ConfigProblem[]
  /** Of a reload: what is set and has no effect, as systemd decides it. */
  readonly ignored?: readonly ConfigProblem[]
}

/** One line of `gatectl config diff`: what the runtime layer changed over the declared layer and the defaults. */
export type ConfigDifference = {
  readonly key: string
  readonly below: ShownValue
  readonly runtime: ShownValue
  readonly effective: LayerName
}
