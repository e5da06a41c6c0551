import { networkInterfaces } from 'node:os'
import { hostPort, parseHostPort } from '../../../schemas/words/address.ts'
import { usageFailure } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { readNames } from '../token/create.ts'
import { writeInvitation } from './invitation.ts'

export const run: Run = async (invocation) => {
  const { admin, arguments: given, text, texts, json, print, printJson, note } = invocation
  const [name = '', node = ''] = given
  const own = await admin.ask('GET /api/admin/peers')
  const relay = await admin.ask('GET /api/admin/relay')
  const before = own.peers.find((peer) => peer.name === name)
  refuseOther(name, node, own.node_id, before?.node)
  const earlier = await keysOf(invocation, name)
  const { token, id } = await admin.ask('POST /api/admin/keys', {
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
  try {
    if (before === undefined)
      await admin.ask('PUT /api/admin/config/keys/{key}', {
        parameter: `peers.${name}`,
        body: { value: { node, addresses: [], relays: [] }, force: false },
      })
  } catch (error) {
    await admin.ask('DELETE /api/admin/keys/{id}', { parameter: id })
    throw error
  }
  for (const key of earlier) await admin.ask('DELETE /api/admin/keys/{id}', { parameter: key.id })
  if (earlier.length > 0) note(`the key of its earlier invitation has ended: "${name}" has to accept this one`)

  const { p2p_port: port, listen } = await admin.ask('GET /api/admin/peers') // it listens from the first peer on
  const ports = relay.tunnels.map((tunnel) => parseHostPort(tunnel.relay).port ?? 443)
  const invitation = {
    node: own.node_id,
    invited: node,
    key: token,
    addresses: texts('address').length > 0 ? texts('address') : addressesOfHost(listen, port),
    relays: relay.names.flatMap(({ name: at }) => [...new Set(ports)].map((one) => hostPort(at, one))),
  }
  if (invitation.addresses.length + invitation.relays.length === 0)
    note(
      'warning: the invitation says nowhere where this gateway is: it has no relay, and no address that others can reach\n' +
        '  set server.host to an address of this host, or relay.enable, or name one with --address HOST:PORT; then invite it again',
    )
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
const keyName = (peer: string): string => `peer ${peer}`

/** The keys that a peer was given, and that are in force. */
export async function keysOf({ admin }: Pick<Invocation, 'admin'>, peer: string) {
  const { keys } = await admin.ask('GET /api/admin/keys')
  return keys.filter(({ name, revoked_at }) => name === keyName(peer) && revoked_at === undefined)
}

/** @throws Failure */
function refuseOther(name: string, node: string, own: string, before: string | undefined): void {
  if (node === own)
    throw usageFailure(
      'gatectl peer invite: that is the node id of this gateway',
      'give the one that "gatectl peer list" prints at the other gateway',
    )
  if (before !== undefined && before !== node)
    throw usageFailure(
      `gatectl peer invite: there is a peer "${name}" already, with the node id ${before}`,
      `give it another name, or remove that one: gatectl peer remove ${name}`,
    )
}

function namesOf(field: string, text: string | undefined): Record<string, readonly string[]> {
  const names = readNames(text)
  return names === undefined ? {} : { [field]: names }
}

/** Where this host is listened on for peers. @param listen a URL; undefined: nowhere */
function addressesOfHost(listen: string | undefined, port: number): string[] {
  const at = listen === undefined ? undefined : new URL(listen).hostname.replace(/^\[|\]$/g, '')
  if (at === undefined) return []
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .filter(({ address, family }) => at === '::' || address === at || (at === '0.0.0.0' && family === 'IPv4'))
    .slice(0, 16)
    .map(({ address }) => hostPort(address, port))
}
