import type { ConfigHandle } from '../../../config/handle.ts'
import type { PeersStatus } from '../../../schemas/admin-peers.ts'
import { PEER_ANSWERS, peerRequest } from '../../../schemas/api/peers.ts'
import type { Config } from '../../../schemas/config/config.ts'
import { keyPathText } from '../../../schemas/words/key-path.ts'
import { AdminError } from '../error.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { shownAt } from './config.ts'

export type PeersStatusParts = {
  readonly peersStatus: () => Promise<PeersStatus>
  readonly config: Pick<ConfigHandle, 'current' | 'explain' | 'setAll'>
}

const ADDRESS = 'gate://'

/** Other gateways. */
export function peerRoutes({ peersStatus, config }: PeersStatusParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/peers',
      scope: 'config:read',
      summary: 'Lists the gateways that use the models of this one, or lend it theirs, and what this one is known by',
      answer: PEER_ANSWERS['GET /api/admin/peers'],
      handle: async () => json(await peersStatus()),
    }),
    apiRoute({
      method: 'POST',
      path: '/api/admin/peers',
      scope: 'admin',
      summary:
        'Accepts an invitation: adds another gateway, and an upstream of its name; one that is known gets the new key',
      audit: 'peer.accept',
      status: 201,
      body: peerRequest,
      answer: PEER_ANSWERS['POST /api/admin/peers'],
      handle: async ({ body: { name, node, addresses, relays, api_key, invited } }) => {
        const { node_id: own } = await peersStatus()
        refuseWrongNode(own, node, invited)
        refuseOther(config.current(), name, node)
        const key = keyPathText(['peers', name])
        const old = shownAt(config, key)
        const isKnown = Object.hasOwn(config.current().peers, name)
        const isPlaced = addresses.length + relays.length > 0
        const upstream = keyPathText(['upstreams', name])
        await config.setAll({
          ...((isPlaced || !isKnown) && { [key]: { node, addresses, relays } }),
          ...(Object.hasOwn(config.current().upstreams, name)
            ? { [`${upstream}.api_key`]: api_key }
            : { [upstream]: { provider: 'peer', base_url: ADDRESS + node, api_key } }),
        })
        const change = { object: `peer:${name}`, old, new: shownAt(config, key) }
        const found = (await peersStatus()).peers.find((peer) => peer.name === name)
        return json(found ?? { name, node, addresses, relays, upstreams: [name] }, { change })
      },
    }),
  ]
}

/** @throws AdminError BAD_REQUEST */
function refuseWrongNode(own: string, node: string, invited: string | undefined): void {
  if (node === own)
    throw new AdminError('BAD_REQUEST', 'this invitation is from this gateway itself', {
      hint: 'accept it at the gateway that it was made for',
    })
  if (invited !== undefined && invited !== own)
    throw new AdminError('BAD_REQUEST', `this invitation is for the gateway ${invited}, and this one is ${own}`, {
      hint: `ask for one that is made for it: gatectl peer invite NAME ${own}`,
    })
}

/** What is there under this name stays, unless it is the same gateway. @throws AdminError ALREADY_EXISTS */
function refuseOther({ peers, upstreams, backends }: Config, name: string, node: string): void {
  const hint = 'give it another name'
  const peer = Object.hasOwn(peers, name) ? peers[name] : undefined
  if (peer !== undefined && peer.node !== node)
    throw new AdminError('ALREADY_EXISTS', `there is a peer "${name}" already, with the node id ${peer.node}`, {
      hint: `${hint}, or remove that one: gatectl peer remove ${name}`,
    })
  const upstream = Object.hasOwn(upstreams, name) ? upstreams[name] : undefined
  if ((upstream !== undefined && upstream.base_url !== ADDRESS + node) || Object.hasOwn(backends, name))
    throw new AdminError('ALREADY_EXISTS', `there is an upstream "${name}" already`, { hint })
}
