import { credentialsFile, readCredentials } from './gateway/credentials.ts'
import { gatewayTransport } from './gateway/gateway-transport.ts'
import { gatewayUrl } from './gateway/https.ts'
import { socketPaths } from './socket-paths.ts'
import { socketTransport } from './socket-transport.ts'
import type { Transport } from './transport.ts'

type Asked = {
  /** `--gateway` */
  readonly gateway: string | undefined
  /** `--socket` */
  readonly socket: string | undefined
}

/**
 * Which daemon a command speaks with: the one that is named on the command line, else in the environment, else the
 * gateway that this user signed in to, else the daemon of this host.
 * @throws Failure USAGE, FILE_UNREADABLE
 */
export function daemonTransport(
  { gateway, socket }: Asked,
  env: Readonly<NodeJS.ProcessEnv>,
  now: () => number,
): Transport {
  const named =
    gateway ?? (socket === undefined && !env['GATE_ADMIN_SOCKET'] ? env['GATE_URL'] || undefined : undefined)
  const remote = (url: string) => gatewayTransport(url, credentialsFile(env), env['GATE_TOKEN'] || undefined, now)
  if (named !== undefined) return remote(gatewayUrl(named))
  if (socket === undefined && !env['GATE_ADMIN_SOCKET']) {
    const { current } = readCredentials(credentialsFile(env))
    if (current !== null) return remote(current)
  }
  return socketTransport(socketPaths(socket, env))
}
