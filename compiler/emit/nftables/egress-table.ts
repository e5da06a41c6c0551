import { PRIVATE_RANGES } from '../../../schemas/words/address.ts'
import type { OutputRule, OutputTable } from '../../../syntax/nftables/print.ts'
import type { Deployment } from '../../ir/deployment.ts'
import type { LimitedEgress } from '../egress/egress.ts'

const COMMENT = [
  'Made by gatectl from the spec; changes here are lost.',
  'Where the account of the gateway may connect to. gate.network.allow opens more; other accounts are left alone.',
]

/** DNS (RFC 1035), over UDP and, for long answers, TCP. */
const DNS = [
  { protocol: 'udp', port: 53 },
  { protocol: 'tcp', port: 53 },
] as const

/** Clients that are told "localhost" may ask there first, and no backend listens there. */
const ALSO_LOCALHOST = ['::1']

/** What the daemon may reach, in the order in which rules are asked; and who answers at ports of backends. */
export function egressTable({ gateway, names, containers }: Deployment, egress: LimitedEgress): OutputTable {
  const { places, ranges, internet } = egress
  return {
    origin: ['gate', 'network'],
    comment: COMMENT,
    name: `${names.symbol}_egress`,
    user: gateway.user,
    reserved: containers
      .flatMap(({ origin, uid, publish }) =>
        publish.flatMap(({ host, hostPort }) =>
          [host, ...ALSO_LOCALHOST].map((address) => ({ origin: [...origin, 'port'], address, port: hostPort, uid })),
        ),
      )
      .toSorted((a, b) => a.port - b.port),
    rules: [
      ...dnsRules(egress),
      ...places.map(
        ({ origin, address, port }): OutputRule => ({
          origin,
          to: 'range',
          range: address,
          ports: [{ protocol: 'tcp', port }],
        }),
      ),
      ...ranges.map(({ origin, range }): OutputRule => ({ origin, to: 'range', range, ports: 'all' })),
      // its public addresses lead to the same listeners as loopback
      { to: 'this host' },
      ...(internet === undefined
        ? []
        : ([4, 6] as const).map(
            (family): OutputRule => ({ origin: internet, to: 'all but', family, ranges: PRIVATE_RANGES[family] }),
          )),
    ],
  }
}

function dnsRules({ names: origin, resolvers }: LimitedEgress): OutputRule[] {
  if (origin === undefined) return []
  if (resolvers.length === 0) return [{ origin, to: 'port', ports: DNS }]
  return resolvers.map((range) => ({ origin: ['gate', 'network', 'resolvers'], to: 'range', range, ports: DNS }))
}
