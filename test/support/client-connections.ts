import { type ClientConnections, createClientConnections } from '../../daemon/listener/connection-limits.ts'
import type { Log } from '../../schemas/words/log.ts'

/** As many connections as `server.max_connections = clients` allows, at a time that stands still. */
export function upToConnections(clients: number, log: Log = () => {}): ClientConnections {
  return createClientConnections({ clients, bound: 'server.max_connections' }, () => 0, log)
}
