import type { RelayStatus } from '../../schemas/admin-relay.ts'

export const NODE_ID = 'abcdefghijklmnopqrstuvwxyz234567'

/** Of a gateway that is well behind two relays. */
export const RELAYED: RelayStatus = {
  enabled: true,
  node_id: NODE_ID,
  names: [
    {
      name: `${NODE_ID}.relay.example.org`,
      caa: `${NODE_ID}.relay.example.org. CAA 0 issue "letsencrypt.org; accounturi=https://ca.example.org/1; validationmethods=tls-alpn-01"`,
    },
    { name: 'me.relay.example.org' },
  ],
  backends: [],
  refused: [],
  tunnels: [
    { relay: 'relay.example.org:443', relay_id: 'a', since: '2026-11-30T22:00:00.000Z', rtt_ms: 12.4, visitors: 3 },
    { relay: '192.0.2.7:31145', relay_id: 'b', since: '2026-11-30T23:00:00.000Z', visitors: 0 },
  ],
  failed: [],
}
