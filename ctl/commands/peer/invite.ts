import { networkInterfaces } from 'node:os'
import { hostPort, parseHostPort } from '../../../schemas/words/address.ts'
import type { Run } from '../../invocation.ts'
import { readNames } from '../token/create.ts'
import { writeInvitation } from './invitation.ts'

export const run: Run = async ({
  admin,
  arguments: [name = '', node = ''],
  text,
  texts,
  json,
  print,
  printJson,
  note,
}) => {
  const own = await admin.ask('GET /api/admin/peers')
  const relay = await admin.ask('GET /api/admin/relay')
  const before = own.peers.find((peer) => peer.name === name)
  const { addresses = [], relays = [] } = before ?? {}
  await admin.ask('PUT /api/admin/config/keys/{key}', {
    parameter: `peers.${name}`,
    body: { value: { node, addresses, relays }, force: false },
  })
  const { token } = await admin.ask('POST /api/admin/keys', {
    body: {
      name: keyName(name),
      scopes: ['chat:write'],
      service: true as const,
      node,
      ...namesOf('models', text('models')),
      ...namesOf('budgets', text('budgets')),
      ...namesOf('limits', text('limits')),
    },
  })
  const { p2p_port: port } = await admin.ask('GET /api/admin/peers') // it listens from the first peer on
  const ports = relay.tunnels.map((tunnel) => parseHostPort(tunnel.relay).port ?? 443)
  const invitation = {
    node: own.node_id,
    key: token,
    addresses: texts('address').length > 0 ? texts('address') : addressesOfHost(port),
    relays: relay.names.flatMap(({ name: at }) => [...new Set(ports)].map((one) => hostPort(at, one))),
  }
  const written = writeInvitation(invitation)
  if (json) {
    printJson({ name, node, invitation: written })
    return 0
  }
  note(`"${name}" (${node}) may connect; its invitation holds a key and is shown only once:`)
  print(written)
  return 0
}

/** What the key of a peer is called. */
export const keyName = (peer: string): string => `peer ${peer}`

function namesOf(field: string, text: string | undefined): Record<string, readonly string[]> {
  const names = readNames(text)
  return names === undefined ? {} : { [field]: names }
}

function addressesOfHost(port: number): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .slice(0, 16)
    .map(({ address }) => hostPort(address, port))
}
