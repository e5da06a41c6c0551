import { z } from 'zod'
import { peerInfo, peersStatus } from '../admin-peers.ts'
import { peer } from '../config/peers.ts'
import { NAME } from '../config/values.ts'

/** POST /api/admin/peers: what an invitation says. */
export const peerRequest = z.strictObject({
  name: z.string().regex(NAME, 'use at most 63 lower-case letters and digits, with single "-" or "_" between'),
  ...peer.shape,
  /** Sent to it with each request; kept sealed, and never shown again. */
  api_key: z.string().min(1).max(4_000),
  /** Node id of the gateway that the invitation is for; any, where it is absent. */
  invited: peer.shape.node.exactOptional(),
})

export const PEER_ANSWERS = { 'GET /api/admin/peers': peersStatus, 'POST /api/admin/peers': peerInfo } as const
