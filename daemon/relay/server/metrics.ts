/** What the relay has counted since its start. */
export type Counts = ReturnType<typeof createCounts>

const REFUSALS = [
  'proxy-header',
  'evicted',
  'not-allowed',
  'address-limit',
  'slow',
  'http',
  'not-tls',
  'no-name',
  'unknown-name',
  'offline',
  'challenge-limit',
  'visitor-limit',
  'node-limit',
  'node-refused',
  'draining',
] as const
const ENDS = ['done', 'reset', 'idle', 'shed', 'quota', 'drained'] as const
const TUNNEL_REFUSALS = [
  'key',
  'silent',
  'protocol',
  'proto',
  'feature',
  'registrations',
  'tunnels',
  'address-limit',
  'draining',
] as const

/** Why a connection with a key did not become a tunnel; `proto`: no common version, `protocol`: it does not speak it. */
export type TunnelRefusal = (typeof TUNNEL_REFUSALS)[number]

export function createCounts() {
  return {
    connections: 0,
    visitors: 0,
    forwarded: 0,
    bytesIn: 0,
    bytesOut: 0,
    tunnels: 0,
    tunnelsLost: 0,
    copiedKeys: 0,
    refused: zeros(REFUSALS),
    ended: zeros(ENDS),
    tunnelsRefused: zeros(TUNNEL_REFUSALS),
  }
}

/** What is read at the scrape, not counted. */
export type RelayReadings = {
  readonly visitors: number
  readonly nodes: number
  readonly tunnels: number
  readonly unparsed: number
  readonly bufferedBytes: number
  readonly addresses: number
}

const zeros = <K extends string>(names: readonly K[]) =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<K, number>

/** In the exposition format of Prometheus. No name of a node or visitor is a label: there may be any number. */
export function metricsText(counts: Counts, now: RelayReadings): string {
  const counters = [
    line('gate_relay_connections_total', 'counter', 'Connections taken.', counts.connections),
    line('gate_relay_visitors_total', 'counter', 'Visitors passed on to a node.', counts.visitors),
    line('gate_relay_forwarded_total', 'counter', 'Visitors passed on through another relay.', counts.forwarded),
    line('gate_relay_in_bytes_total', 'counter', 'Bytes from visitors.', counts.bytesIn),
    line('gate_relay_out_bytes_total', 'counter', 'Bytes to visitors.', counts.bytesOut),
    line('gate_relay_tunnels_total', 'counter', 'Tunnels welcomed.', counts.tunnels),
    line('gate_relay_tunnels_lost_total', 'counter', 'Tunnels that answered no ping.', counts.tunnelsLost),
    line('gate_relay_copied_keys_total', 'counter', 'Keys seen at two daemons at once.', counts.copiedKeys),
    lines('gate_relay_refused_total', 'Connections refused, by reason.', counts.refused, 'reason'),
    lines('gate_relay_ended_total', 'Visitors gone, by reason.', counts.ended, 'reason'),
    lines('gate_relay_tunnels_refused_total', 'Tunnels refused, by reason.', counts.tunnelsRefused, 'reason'),
  ]
  const gauges = [
    line('gate_relay_visitors', 'gauge', 'Visitors now.', now.visitors),
    line('gate_relay_nodes', 'gauge', 'Nodes with a tunnel to this relay.', now.nodes),
    line('gate_relay_tunnels', 'gauge', 'Tunnels now.', now.tunnels),
    line('gate_relay_unparsed', 'gauge', 'Connections whose ClientHello is awaited.', now.unparsed),
    line('gate_relay_buffered_bytes', 'gauge', 'Bytes that wait for a slow side.', now.bufferedBytes),
    line('gate_relay_addresses', 'gauge', 'Addresses and networks of visitors that are remembered.', now.addresses),
  ]
  return [...counters, ...gauges].join('')
}

const header = (name: string, kind: string, help: string) => `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`

const line = (name: string, kind: 'counter' | 'gauge', help: string, value: number) =>
  `${header(name, kind, help)}${name} ${value}\n`

const lines = (name: string, help: string, values: Readonly<Record<string, number>>, label: string) =>
  header(name, 'counter', help) +
  Object.entries(values)
    .map(([key, value]) => `${name}{${label}="${key}"} ${value}\n`)
    .join('')
