import { credentialsFile, readCredentials } from './gateway/credentials.ts'
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
 * @throws Failure USAGE, FILE_UNREADABLE, as rejections
 */
export async function daemonTransport(
  { gateway, socket }: Asked,
  env: Readonly<NodeJS.ProcessEnv>,
  now: () => number,
): Promise<Transport> {
  const named =
    gateway ?? (socket === undefined && !env['GATE_ADMIN_SOCKET'] ? env['GATE_URL'] || undefined : undefined)
  const remote = async (url: string) => {
    // most commands speak with the daemon of this host, and start without what HTTPS takes
    const { gatewayTransport } = await import('./gateway/gateway-transport.ts')
    return gatewayTransport(url, credentialsFile(env), env['GATE_TOKEN'] || undefined, now)
  }
  if (named !== undefined) {
    const { gatewayUrl } = await import('./gateway/https.ts')
    return remote(gatewayUrl(named))
  }
  if (socket === undefined && !env['GATE_ADMIN_SOCKET']) {
    const { current } = readCredentials(credentialsFile(env))
    if (current !== null) return remote(current)
  }
  return socketTransport(socketPaths(socket, env), async (ask) => {
    const { socketNaming } = await import('./gateway/socket-naming.ts')
    return socketNaming(ask, env, now)
  })
}
