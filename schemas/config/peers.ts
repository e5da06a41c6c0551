import { z } from 'zod'
import { hostPort } from './values.ts'

/** One entry of `peers`, in the spec and the configuration alike: another gateway. */
export const peer = z.strictObject({
  node: z
    .string()
    .regex(/^[a-z2-7]{32}$/, 'write the node id of the other gateway, as its "gatectl peer list" prints it')
    .meta({ description: 'Node id of the other gateway; no other key is taken for it.' }),
  addresses: z.array(hostPort).max(16).default([]).meta({
    description: 'Where it can be reached directly, as host:port of its p2p_port; tried first.',
  }),
  relays: z.array(hostPort).max(16).default([]).meta({
    description: 'Its names at relays, as name:port; tried when the direct way fails.',
  }),
})
