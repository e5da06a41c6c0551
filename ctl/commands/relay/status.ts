import type { RelayStatus } from '../../../schemas/admin-relay.ts'
import { spanText } from '../../../schemas/words/span.ts'
import type { Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'
import type { Output } from '../../surroundings.ts'
import { relayCommand } from './relay.ts'

export const run: Run = async (invocation) => {
  if (invocation.text('instance') !== undefined) return await relayCommand('status')(invocation)
  const { admin, json, print, printJson, stdout } = invocation
  const status = await admin.ask('GET /api/admin/relay')
  if (json) printJson(status)
  else print(statusText(status, stdout, Date.now()))
  return isWell(status) ? 0 : 3
}

function isWell({ enabled, tunnels, refused, backends, logs }: RelayStatus): boolean {
  if (!enabled) return true
  const areReached = backends.every(({ error }) => error === undefined)
  return tunnels.length > 0 && refused.length === 0 && areReached && (logs?.unknown.length ?? 0) === 0
}

function statusText(status: RelayStatus, stdout: Output, nowMs: number): string {
  const { enabled, node_id, flaw, names, tunnels } = status
  if (!enabled) return 'this gateway uses no relay; set relay.enable and relay.addresses'
  const rows = tunnels.map(({ relay, since, rtt_ms, visitors }) => [
    relay,
    spanText(nowMs - Date.parse(since)),
    rtt_ms === undefined ? '-' : `${Math.round(rtt_ms)} ms`,
    String(visitors),
  ])
  const records = names.flatMap(({ caa }) => (caa === undefined ? [] : [`  ${caa}`]))
  return [
    `node ${node_id ?? '-'}`,
    ...(flaw === undefined ? [] : [`not reachable: ${flaw}`]),
    ...names.map(({ name, backend }) => (backend === undefined ? `https://${name}` : `https://${name} -> ${backend}`)),
    '',
    rows.length === 0 ? 'no tunnel is up' : table(['RELAY', 'FOR', 'RTT', 'VISITORS'], rows, stdout),
    ...troubles(status, nowMs),
    ...(records.length === 0
      ? []
      : ['', 'with these records in DNS, no one else gets a certificate for the names, nor the relay:', ...records]),
  ].join('\n')
}

function troubles({ refused, backends, failed, logs }: RelayStatus, nowMs: number): string[] {
  const all = [
    ...backends.flatMap(({ address, names, error }) =>
      error === undefined ? [] : [`${names.join(', ')}: ${address} does not answer: ${error}`],
    ),
    ...refused.map(({ name, result, detail }) => `${name}: the relay does not give it: ${detail ?? result}`),
    ...failed.map(
      ({ relay, error, again_at }) =>
        `${relay}: ${error}; tried again in ${spanText(Math.max(0, Date.parse(again_at) - nowMs))}`,
    ),
    ...(logs?.unknown ?? []).map(
      ({ name, serial }) => `${name}: a log has certificate ${serial}, which this gateway did not get`,
    ),
    ...(logs?.error === undefined ? [] : [`the logs of certificates could not be searched: ${logs.error}`]),
  ]
  return all.length === 0 ? [] : ['', ...all]
}
