/** How many connections there may be at once. */
type ConnectionLimits = { readonly clients: number; readonly upstreams: number }

/** Kept for what must work on a busy host, too: the admin socket, files of the store, a reload, looking up names. */
const RESERVE = 16

/**
 * Shares the descriptors of this process, so that what it lacks is never taken for the failure of something else. Each
 * client may need one connection to an upstream; kept ones need a few more.
 * @param descriptors null: not known, so that only `maxConnections` bounds
 * @param listeners how many listeners share the clients
 */
export function connectionLimits(
  descriptors: { readonly limit: number; readonly open: number } | null,
  maxConnections: number,
  listeners: number,
): ConnectionLimits {
  if (descriptors === null) return { clients: maxConnections, upstreams: Number.POSITIVE_INFINITY }
  const free = descriptors.limit - descriptors.open - RESERVE
  const perListener = Math.floor(free / 2 / Math.max(1, listeners))
  const clients = Math.max(1, Math.min(maxConnections, perListener))
  return { clients, upstreams: Math.max(1, free - clients * listeners) }
}
