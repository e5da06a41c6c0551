import { peersStatus } from '../admin-peers.ts'

export const PEER_ANSWERS = { 'GET /api/admin/peers': peersStatus } as const
