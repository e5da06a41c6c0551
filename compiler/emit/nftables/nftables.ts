import { isLoopback } from '../../../schemas/words/address.ts'
import { printTable, type Rule } from '../../../syntax/nftables/print.ts'
import { command, literal, printUnit, text, type UnitFile } from '../../../syntax/unit/print.ts'
import type { Deployment } from '../../ir/deployment.ts'
import type { GatewayNames } from '../../ir/names.ts'
import type { Listener } from '../../ir/nodes/host.ts'
import type { Emission, EmitOptions } from '../output.ts'

/**
 * A table of the gateway's own. Its ports are open where the spec opens them and shut elsewhere; packets for other
 * ports pass on to whatever other tables say. Nothing is made when the spec opens nothing.
 */
export function emitNftables({ firewall, listeners, names }: Deployment, { layout }: EmitOptions): Emission {
  if (firewall.length === 0) return { files: [], findings: [] }
  const origin = ['gate', 'server']
  const printed = printTable({ origin, comment: COMMENT, name: names.symbol, rules: rules(firewall, listeners) })
  return {
    files: [
      { path: 'nftables/firewall.nft', install: names.firewallRules, mode: 0o644, ...printed },
      {
        path: `nftables/${names.firewallUnit}`,
        install: `/etc/systemd/system/${names.firewallUnit}`,
        mode: 0o644,
        ...printUnit(firewallUnit(names, layout.programs.nft)),
      },
    ],
    findings: [],
  }
}

const COMMENT = [
  'Made by gatectl from the spec; changes here are lost.',
  'Ports of the gateway are open where the spec says so and closed elsewhere; other ports and tables are left alone.',
  'A packet must pass every table: if one of yours drops by default, it has to accept the ports below as well.',
]

function rules(firewall: Deployment['firewall'], listeners: readonly Listener[]): Rule[] {
  const guarded = Map.groupBy(
    listeners.filter(({ host }) => !isLoopback(host)),
    ({ protocol, port }) => `${protocol} ${port}`,
  )
  return [
    { interface: 'lo', packets: 'all', verdict: 'accept' },
    { packets: 'established', verdict: 'accept' },
    ...firewall.map(
      ({ origin, port, protocol, interface: name }): Rule => ({
        origin,
        ...(name === undefined ? {} : { interface: name }),
        packets: { protocol, port },
        verdict: 'accept',
      }),
    ),
    ...[...guarded.values()].flatMap(([first]): Rule[] => {
      if (first === undefined) return []
      const { origin, protocol, port } = first
      return [{ origin, packets: { protocol, port }, verdict: 'drop' }]
    }),
  ]
}

/** Loads the table again whenever nftables.service, which flushes everything, is started or reloaded. */
function firewallUnit({ firewallRules, symbol }: GatewayNames, nft: string): UnitFile {
  const load = command(nft, '-f', firewallRules)
  return {
    origin: ['gate', 'server'],
    comment: COMMENT.slice(0, 1),
    sections: [
      {
        name: 'Unit',
        entries: [
          { key: 'Description', value: text('Ports of the gateway') },
          { key: 'DefaultDependencies', value: literal('no') },
          { key: 'Wants', value: literal('network-pre.target') },
          { key: 'Before', value: literal('network-pre.target shutdown.target') },
          { key: 'Conflicts', value: literal('shutdown.target') },
          { key: 'After', value: literal('nftables.service') },
          { key: 'PartOf', value: literal('nftables.service') },
          { key: 'ReloadPropagatedFrom', value: literal('nftables.service') },
        ],
      },
      {
        name: 'Service',
        entries: [
          { key: 'Type', value: literal('oneshot') },
          { key: 'RemainAfterExit', value: literal('yes') },
          { key: 'ExecStart', value: load },
          { key: 'ExecReload', value: load },
          { key: 'ExecStop', value: command(nft, 'delete', 'table', 'inet', symbol) },
        ],
      },
      { name: 'Install', entries: [{ key: 'WantedBy', value: literal('sysinit.target') }] },
    ],
  }
}
