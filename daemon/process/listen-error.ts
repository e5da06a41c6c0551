import type { Config } from '../../schemas/config/config.ts'

/** What the daemon says when an address cannot be had: which, and what to do. */
export function listenError(error: unknown, { server }: Config): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : null
  const where = `${server.host} port ${server.port}`
  if (code === 'EADDRINUSE') {
    return new Error(`${where} is taken: stop what listens there, or set server.port (GATE_SERVER__PORT)`, {
      cause: error,
    })
  }
  if (code === 'EACCES')
    return new Error(`${where}: ports below 1024 need the right to bind them; set server.port`, { cause: error })
  if (code === 'EADDRNOTAVAIL')
    return new Error(`${where} is not an address of this machine; set server.host`, { cause: error })
  return error
}
