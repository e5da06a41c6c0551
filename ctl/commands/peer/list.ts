import type { Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'

export const run: Run = async ({ admin, json, print, printJson, stdout }) => {
  const status = await admin.ask('GET /api/admin/peers')
  if (json) {
    printJson(status)
    return 0
  }
  const { node_id, listen, peers } = status
  const rows = peers.map(({ name, node, addresses, relays, upstreams }) => [
    name,
    node,
    upstreams.join(', ') || '-',
    [...addresses, ...relays].join(', ') || '-',
  ])
  print(
    [
      `node ${node_id}`,
      listen === undefined ? 'no peer can connect directly yet' : `peers connect to ${listen}`,
      '',
      rows.length === 0 ? 'there are no peers' : table(['NAME', 'NODE', 'UPSTREAMS', 'WHERE'], rows, stdout),
    ].join('\n'),
  )
  return 0
}
