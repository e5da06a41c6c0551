import { z } from 'zod'

const time = z.iso.datetime()

/** GET /api/admin/relay */
export const relayStatus = z.strictObject({
  /** `relay.enable`. */
  enabled: z.boolean(),
  /** Name of this node's key; absent: it has none, since relays are off or `flaw` is in the way. */
  node_id: z.string().exactOptional(),
  /** Why it cannot be reachable at all. */
  flaw: z.string().exactOptional(),
  /** Host names that point here through relays. */
  names: z.array(
    z.strictObject({
      name: z.string(),
      /**
       * A record for its zone: no one else, the relay included, gets a certificate for it then. Absent while there is no
       * account at a CA.
       */
      caa: z.string().exactOptional(),
      /** Address of the local server that its visitors are passed on to; absent: the gateway answers them. */
      backend: z.string().exactOptional(),
    }),
  ),
  /** Local servers that visitors of some names are passed on to. */
  backends: z.array(
    z.strictObject({
      names: z.array(z.string()),
      address: z.string(),
      proxy_protocol: z.enum(['v2', 'v1', 'off']),
      /** Why it takes no connection now. */
      error: z.string().exactOptional(),
    }),
  ),
  /** Names that are wanted, and that the relay does not give; `result` is its word for why. */
  refused: z.array(z.strictObject({ name: z.string(), result: z.string(), detail: z.string().exactOptional() })),
  /** Connections that bring visitors. */
  tunnels: z.array(
    z.strictObject({
      /** `host:port` that was dialled. */
      relay: z.string(),
      relay_id: z.string(),
      since: time,
      /** Absent: not measured yet. */
      rtt_ms: z.number().exactOptional(),
      visitors: z.int(),
    }),
  ),
  /** Relays that could not be reached. */
  failed: z.array(z.strictObject({ relay: z.string(), error: z.string(), attempts: z.int(), again_at: time })),
  /** Search of certificate logs (`relay.ct_log`); absent: it is not set, or was not asked yet. */
  logs: z
    .strictObject({
      asked_at: time,
      error: z.string().exactOptional(),
      /** Serial numbers, hexadecimal, of certificates for these names that this daemon did not get. */
      unknown: z.array(z.strictObject({ name: z.string(), serial: z.string() })),
    })
    .exactOptional(),
})
export type RelayStatus = z.output<typeof relayStatus>
