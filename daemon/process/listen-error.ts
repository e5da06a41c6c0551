import type { Config } from '../../schemas/config/config.ts'

/** Whether a failure to listen is for want of the address: another program has it. */
export const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'

/** What a daemon under systemd says of a port that it serves without. */
export const takenError = ({ server }: Config): string =>
  `${server.host} port ${server.port} is taken; "gatectl doctor" as root says by what, and how to get another port`

/** What the daemon says when an address cannot be had: which, and what to do. */
export function listenError(error: unknown, { server }: Config): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : null
  const where = `${server.host} port ${server.port}`
  if (isTaken(error)) {
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
