import type { PeersStatus } from '../../../schemas/admin-peers.ts'
import { PEER_ANSWERS } from '../../../schemas/api/peers.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'

export type PeersStatusParts = { readonly peersStatus: () => Promise<PeersStatus> }

/** Other gateways. */
export function peerRoutes({ peersStatus }: PeersStatusParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/peers',
      scope: 'config:read',
      summary: 'Lists the gateways that use the models of this one, or lend it theirs, and what this one is known by',
      answer: PEER_ANSWERS['GET /api/admin/peers'],
      handle: async () => json(await peersStatus()),
    }),
  ]
}
