import { PRIVATE_RANGES } from '../../../schemas/words/address.ts'
import { type Entry, type Section, text, type UnitFile, words } from '../../../syntax/unit/print.ts'
import type { Deployment } from '../../ir/deployment.ts'
import {
  dialledForCertificates,
  dialledForPeers,
  dialledForRelays,
  dialledForSignIn,
  dialledUpstreams,
} from '../egress/dialled.ts'
import { type Egress, egressOf } from '../egress/egress.ts'
import type { EmitOptions } from '../output.ts'

/** What the daemon of this spec reaches, in a drop-in that NixOS takes as it is; nothing where the unit says it all. */
export function reachUnit(
  deployment: Deployment,
  { settings }: Pick<EmitOptions, 'settings'>,
  comment: readonly string[],
): Record<string, UnitFile> {
  const { gateway } = deployment
  const dialledAll = [
    ...dialledUpstreams(deployment, settings),
    ...dialledForCertificates(deployment),
    ...dialledForRelays(deployment),
    ...dialledForPeers(deployment),
    ...dialledForSignIn(deployment),
  ]
  const sockets = dialledAll.flatMap((dialled) => {
    const place = dialled.kind === 'socket' ? placeInRun(dialled.path, deployment.names.backendsDirectory) : undefined
    return place === undefined ? [] : [{ key: 'BindReadOnlyPaths', value: words(`-${place}`), origin: dialled.origin }]
  })
  const own = [...sockets, ...addressEntries(egressOf(deployment, settings))]
  if (own.length === 0) return {}
  const sections: Section[] = [{ name: 'Service', entries: own }]
  return { [`${gateway.unit}.service.d/50-reach.conf`]: { origin: gateway.origin, comment, sections } }
}

/**
 * A second wall beside nftables, which knows ports and accounts: it holds where that is flushed. Clients are not meant:
 * their connections belong to the socket unit. Where names are looked up, and nothing says by which server, private
 * addresses are left to nftables: a list of today would cut the gateway off when the network gives it another server.
 */
function addressEntries(egress: Egress): Entry[] {
  if (egress === 'any' || (egress.names !== undefined && egress.resolvers.length === 0)) return []
  const { places, ranges, internet, names, resolvers } = egress
  const denied = internet === undefined ? ['any'] : [...PRIVATE_RANGES[4], ...PRIVATE_RANGES[6]]
  const allowed = [
    ...places.map(({ address }) => address),
    ...ranges.map(({ range }) => range),
    ...(names === undefined ? [] : resolvers),
  ]
  const origin = ['gate', 'network']
  return [
    { key: 'IPAddressDeny', value: text(denied.join(' ')), origin },
    ...(allowed.length === 0 ? [] : [{ key: 'IPAddressAllow', value: text([...new Set(allowed)].join(' ')), origin }]),
  ]
}

/** The directory, since a socket is another file whenever its program starts; what is not in /run is seen anyway. */
function placeInRun(socket: string, backendsDirectory: string): string | undefined {
  const path = socket.replace(/^\/var\/run\//, '/run/')
  if (!path.startsWith('/run/') || path.startsWith(`${backendsDirectory}/`)) return undefined
  const directory = path.slice(0, path.lastIndexOf('/'))
  // a colon separates source and destination
  return (directory === '/run' ? path : directory).replaceAll(':', '\\:')
}
