import type { RelayStatus } from '../../../schemas/admin-relay.ts'
import { RELAY_ANSWERS } from '../../../schemas/api/relay.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'

export type RelayStatusParts = { readonly relayStatus: () => Promise<RelayStatus> }

/** How the gateway is reachable through relays. */
export function relayRoutes({ relayStatus }: RelayStatusParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/relay',
      scope: 'config:read',
      summary: 'Says by which names and tunnels the gateway is reachable through relays',
      answer: RELAY_ANSWERS['GET /api/admin/relay'],
      handle: async () => json(await relayStatus()),
    }),
  ]
}
