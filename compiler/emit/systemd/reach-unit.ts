import { type Section, type UnitFile, words } from '../../../syntax/unit/print.ts'
import type { Deployment } from '../../ir/deployment.ts'
import { dialledUpstreams } from '../egress/dialled.ts'
import type { EmitOptions } from '../output.ts'

/** What the daemon of this spec reaches, in a drop-in that NixOS takes as it is; nothing where the unit says it all. */
export function reachUnit(
  deployment: Deployment,
  { settings }: Pick<EmitOptions, 'settings'>,
  comment: readonly string[],
): Record<string, UnitFile> {
  const { gateway } = deployment
  const sockets = dialledUpstreams(deployment, settings).flatMap((dialled) => {
    const place = dialled.kind === 'socket' ? placeInRun(dialled.path, deployment.names.backendsDirectory) : undefined
    return place === undefined ? [] : [{ key: 'BindReadOnlyPaths', value: words(`-${place}`), origin: dialled.origin }]
  })
  if (sockets.length === 0) return {}
  const sections: Section[] = [{ name: 'Service', entries: sockets }]
  return { [`${gateway.unit}.service.d/50-reach.conf`]: { origin: gateway.origin, comment, sections } }
}

/** The directory, since a socket is another file whenever its program starts; what is not in /run is seen anyway. */
function placeInRun(socket: string, backendsDirectory: string): string | undefined {
  const path = socket.replace(/^\/var\/run\//, '/run/')
  if (!path.startsWith('/run/') || path.startsWith(`${backendsDirectory}/`)) return undefined
  const directory = path.slice(0, path.lastIndexOf('/'))
  // a colon separates source and destination
  return (directory === '/run' ? path : directory).replaceAll(':', '\\:')
}
