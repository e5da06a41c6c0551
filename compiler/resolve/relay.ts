import type { Spec } from '../../schemas/spec/spec.ts'
import type { Finding } from '../diagnostic.ts'

/** Being reachable through relays needs one. An address may come in another way than by the spec. */
export function checkRelay({ relay: { enable, addresses } }: Pick<Spec, 'relay'>): Finding[] {
  if (!enable || addresses.length > 0) return []
  const message = 'relay.enable needs relay.addresses: the gateway dials no relay'
  const hint = 'write addresses = ["relay.example.org:443"]'
  return [{ code: 'MISSING_KEY', severity: 'warning', path: ['relay', 'enable'], message, hint }]
}
