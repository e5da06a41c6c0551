import type { Log } from '../../schemas/words/log.ts'
import type { Connection } from './connection.ts'

/** How many connections there may be at once. */
type ConnectionLimits = {
  readonly clients: number
  readonly upstreams: number
  /** What bounds the clients. */
  readonly bound: 'server.max_connections' | 'the limit of open files'
}

/** Connections of clients, counted over all listeners that share it. */
export type ClientConnections = {
  /**
   * Counts a connection until it is closed.
   * @param listener URL of the one that got it, for the log
   * @returns false: the limit is reached, so that it has to be closed
   */
  take(socket: Connection, listener: string): boolean
}

/** Kept for what must work on a busy host, too: the admin socket, files of the store, a reload, looking up names. */
const RESERVE = 16
/** A burst of refused connections is one line of the log for each listener. */
const WARN_EVERY_MS = 60_000

/**
 * Shares the descriptors of this process, so that what it lacks is never taken for the failure of something else. Each
 * client may need one connection to an upstream; kept ones need a few more.
 * @param descriptors null: not known, so that only `maxConnections` bounds
 */
export function connectionLimits(
  descriptors: { readonly limit: number; readonly open: number } | null,
  maxConnections: number,
): ConnectionLimits {
  const configured = { clients: maxConnections, bound: 'server.max_connections' } as const
  if (descriptors === null) return { ...configured, upstreams: Number.POSITIVE_INFINITY }
  const free = descriptors.limit - descriptors.open - RESERVE
  const most = Math.max(1, Math.floor(free / 2))
  const limits = most < maxConnections ? { clients: most, bound: 'the limit of open files' as const } : configured
  return { ...limits, upstreams: Math.max(1, free - limits.clients) }
}

/** @param now monotonic milliseconds */
export function createClientConnections(
  { clients, bound }: Pick<ConnectionLimits, 'clients' | 'bound'>,
  now: () => number,
  log: Log,
): ClientConnections {
  const warnedAt = new Map<string, number>()
  let open = 0

  function warn(listener: string): void {
    if (now() - (warnedAt.get(listener) ?? Number.NEGATIVE_INFINITY) < WARN_EVERY_MS) return
    warnedAt.set(listener, now())
    const reason = `${bound} is reached`
    log('warn', 'connections are refused: as many are open on all listeners as may be', {
      url: listener,
      reason,
      count: clients,
    })
  }

  return {
    take(socket, listener) {
      if (open >= clients) {
        warn(listener)
        return false
      }
      open += 1
      socket.once('close', () => {
        open -= 1
      })
      return true
    },
  }
}
