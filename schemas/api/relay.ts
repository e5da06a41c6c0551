import { relayStatus } from '../admin-relay.ts'

export const RELAY_ANSWERS = { 'GET /api/admin/relay': relayStatus } as const
