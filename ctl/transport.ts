import type { IncomingMessage } from 'node:http'

/** What is asked of a daemon. */
export type DaemonRequest = {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly body?: unknown
  readonly signal?: AbortSignal
  /** Longest wait for the answer to begin. */
  readonly timeoutMs?: number
}

/** The way to a daemon: the admin socket of this host, or HTTPS to a gateway elsewhere. */
export type Transport = {
  /** For messages, such as `the admin socket` or `https://ai.example.org`. */
  readonly to: string
  /** How the way can be set right, for what answers but not as a daemon does. */
  readonly remedy: string
  /** @throws Failure NO_DAEMON, NO_PERMISSION, NOT_SIGNED_IN, NO_GATEWAY, CONNECTION_LOST */
  send(request: DaemonRequest): Promise<IncomingMessage>
}

export const ANSWER_TIMEOUT_MS = 30_000
