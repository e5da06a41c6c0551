import { z } from 'zod'

/** Another gateway. */
export const peerInfo = z.strictObject({
  name: z.string(),
  node: z.string(),
  addresses: z.array(z.string()),
  relays: z.array(z.string()),
  /** Upstreams that lead there. */
  upstreams: z.array(z.string()),
})
export type PeerInfo = z.output<typeof peerInfo>

/** GET /api/admin/peers */
export const peersStatus = z.strictObject({
  /** What other gateways know this one by. */
  node_id: z.string(),
  p2p_port: z.int(),
  /** Where other gateways are listened for; absent: there is no peer yet, or the port is taken. */
  listen: z.string().exactOptional(),
  peers: z.array(peerInfo),
})
export type PeersStatus = z.output<typeof peersStatus>
