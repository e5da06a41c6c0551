import type { SpecPath } from '../../../schemas/spec/path.ts'
import { isLoopback } from '../../../schemas/words/address.ts'
import { printOutputTable, printTable, type Rule } from '../../../syntax/nftables/print.ts'
import { command, literal, printUnit, text, type UnitFile } from '../../../syntax/unit/print.ts'
import type { Deployment } from '../../ir/deployment.ts'
import type { Listener } from '../../ir/nodes/host.ts'
import { egressOf } from '../egress/egress.ts'
import type { Emission, EmitOptions, OutputFile } from '../output.ts'
import { egressTable } from './egress-table.ts'

/**
 * Two tables of the gateway's own: what may reach it, and what it may reach. Ports of the gateway are open where the
 * spec opens them and shut elsewhere; packets for other ports pass on to whatever other tables say. The daemon does not
 * run without the second one. Nothing is made where the spec opens no port, or lets the daemon connect to anything.
 */
export function emitNftables(deployment: Deployment, { layout, settings }: EmitOptions): Emission {
  const { firewall, gateway, listeners, names } = deployment
  const files: OutputFile[] = []
  const { nft } = layout.programs
  if (firewall.length > 0) {
    const origin = ['gate', 'server']
    const name = names.symbol
    const printed = printTable({ origin, comment: COMMENT, name, rules: rules(firewall, listeners) })
    const unit = tableUnit({
      origin,
      table: name,
      rules: names.firewallRules,
      what: 'Ports of the gateway',
      nft,
      isEarly: true,
    })
    files.push(
      { path: 'nftables/firewall.nft', install: names.firewallRules, mode: 0o644, ...printed },
      unitFile(names.firewallUnit, unit),
    )
  }
  const egress = egressOf(deployment, settings)
  if (egress !== 'any') {
    const table = egressTable(deployment, egress)
    const what = 'What the gateway may connect to'
    const unit = tableUnit({
      origin: table.origin,
      table: table.name,
      rules: names.egressRules,
      what,
      nft,
      isEarly: false,
    })
    files.push(
      { path: 'nftables/egress.nft', install: names.egressRules, mode: 0o644, ...printOutputTable(table) },
      unitFile(names.egressUnit, unit),
      unitFile(`${gateway.unit}.service.d/50-egress.conf`, {
        origin: gateway.origin,
        comment: COMMENT.slice(0, 1),
        sections: [
          { name: 'Unit', entries: ['Requires', 'After'].map((key) => ({ key, value: text(names.egressUnit) })) },
        ],
      }),
    )
  }
  return { files, findings: [] }
}

function unitFile(name: string, unit: UnitFile): OutputFile {
  return { path: `nftables/${name}`, install: `/etc/systemd/system/${name}`, mode: 0o644, ...printUnit(unit) }
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

type TableUnit = {
  readonly origin: SpecPath
  readonly table: string
  /** The file. */
  readonly rules: string
  readonly what: string
  readonly nft: string
  /** Before any interface is up; the other table is there before the daemon, which its own unit orders. */
  readonly isEarly: boolean
}

/** Loads the table again whenever nftables.service, which flushes everything, is started or reloaded. */
function tableUnit({ origin, table, rules: file, what, nft, isEarly }: TableUnit): UnitFile {
  const load = command(nft, '-f', file)
  return {
    origin,
    comment: COMMENT.slice(0, 1),
    sections: [
      {
        name: 'Unit',
        entries: [
          { key: 'Description', value: text(what) },
          { key: 'DefaultDependencies', value: literal('no') },
          ...(isEarly ? [{ key: 'Wants', value: literal('network-pre.target') }] : []),
          { key: 'Before', value: literal(isEarly ? 'network-pre.target shutdown.target' : 'shutdown.target') },
          { key: 'Conflicts', value: literal('shutdown.target') },
          { key: 'After', value: literal('nftables.service systemd-sysusers.service') },
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
          { key: 'ExecStop', value: command(nft, 'delete', 'table', 'inet', table) },
        ],
      },
      { name: 'Install', entries: [{ key: 'WantedBy', value: literal('sysinit.target') }] },
    ],
  }
}
