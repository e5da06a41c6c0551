import { type Option, printDnsmasq } from '../../../syntax/dnsmasq/print.ts'
import { command, literal, printUnit, text, type UnitFile } from '../../../syntax/unit/print.ts'
import type { Deployment } from '../../ir/deployment.ts'
import type { GatewayNames } from '../../ir/names.ts'
import type { Dns } from '../../ir/nodes/web.ts'
import type { Emission, EmitOptions } from '../output.ts'

/** A name server for the names of the domain, and the unit that runs it apart from any other dnsmasq of the host. */
export function emitDnsmasq({ dns, names }: Deployment, { layout }: EmitOptions): Emission {
  if (dns === undefined) return { files: [], findings: [] }
  const comment = ['Made by gatectl from the spec; changes here are lost.']
  return {
    files: [
      {
        path: 'dnsmasq/dnsmasq.conf',
        install: names.dnsConfig,
        mode: 0o644,
        ...printDnsmasq(comment, options(dns), dns.origin),
      },
      {
        path: `dnsmasq/${names.dnsUnit}`,
        install: `${layout.directories.units}/${names.dnsUnit}`,
        mode: 0o644,
        ...printUnit(dnsUnit(dns, names, layout.programs.dnsmasq)),
      },
    ],
    findings: [],
  }
}

function options(dns: Dns): Option[] {
  const { listen, port, domain, names, forward } = dns
  const listening = ['dns', 'listen']
  const isInterface = listen.kind === 'interface'
  return [
    { name: 'port', values: [String(port)], origin: ['dns', 'port'] },
    // follows addresses that come and go, and leaves the wildcard address to others
    { name: 'bind-dynamic' },
    { name: isInterface ? 'interface' : 'listen-address', values: [listen.value], origin: listening },
    // dnsmasq adds the loopback to every interface
    ...(isInterface && listen.value !== 'lo' ? [{ name: 'except-interface', values: ['lo'], origin: listening }] : []),
    { name: 'no-resolv' },
    { name: 'no-hosts' },
    { name: 'pid-file', values: [''] },
    { name: 'local', values: [`/${domain}/`], origin: ['gate', 'domain'] },
    ...names.map((name) => ({ name: isInterface ? 'interface-name' : 'host-record', values: [name, listen.value] })),
    ...forward.map((server, i) => ({ name: 'server', values: [server], origin: ['dns', 'forward', i] })),
    ...(forward.length === 0 ? [] : [{ name: 'domain-needed' }, { name: 'bogus-priv' }]),
  ]
}

/** Runs the name server. */
function dnsUnit({ origin, domain }: Dns, { dnsConfig }: GatewayNames, program: string): UnitFile {
  const yes = (...keys: readonly string[]) => keys.map((key) => ({ key, value: literal('yes') }))
  return {
    origin,
    comment: ['Made by gatectl from the spec; changes here are lost.'],
    sections: [
      {
        name: 'Unit',
        entries: [
          { key: 'Description', value: text(`Names below ${domain}`) },
          { key: 'After', value: literal('network.target') },
        ],
      },
      {
        name: 'Service',
        entries: [
          {
            key: 'ExecStart',
            value: command(program, '--keep-in-foreground', '--log-facility=-', `--conf-file=${dnsConfig}`),
          },
          { key: 'Restart', value: literal('on-failure') },
          ...yes(
            'DynamicUser',
            'NoNewPrivileges',
            'PrivateDevices',
            'PrivateMounts',
            'PrivateTmp',
            'ProtectHome',
            'ProtectClock',
          ),
          ...yes('ProtectControlGroups', 'ProtectHostname', 'ProtectKernelLogs', 'ProtectKernelModules'),
          ...yes('ProtectKernelTunables', 'LockPersonality', 'MemoryDenyWriteExecute', 'RestrictNamespaces'),
          ...yes('RestrictRealtime', 'RestrictSUIDSGID'),
          { key: 'DevicePolicy', value: literal('closed') },
          { key: 'ProtectSystem', value: literal('strict') },
          { key: 'ProtectProc', value: literal('invisible') },
          { key: 'ProcSubset', value: literal('pid') },
          { key: 'AmbientCapabilities', value: literal('CAP_NET_BIND_SERVICE') },
          { key: 'CapabilityBoundingSet', value: literal('CAP_NET_BIND_SERVICE') },
          // netlink tells which addresses come and go
          { key: 'RestrictAddressFamilies', value: literal('AF_INET AF_INET6 AF_NETLINK') },
          { key: 'SystemCallArchitectures', value: literal('native') },
          { key: 'SystemCallFilter', value: literal('@system-service') },
          { key: 'SystemCallFilter', value: literal('~@privileged @resources') },
          { key: 'SystemCallErrorNumber', value: literal('EPERM') },
          { key: 'UMask', value: literal('0077') },
        ],
      },
      { name: 'Install', entries: [{ key: 'WantedBy', value: literal('multi-user.target') }] },
    ],
  }
}
