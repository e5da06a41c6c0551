import { repeatedNames } from '../../schemas/config/relay-backend.ts'
import type { Spec } from '../../schemas/spec/spec.ts'
import type { Finding } from '../diagnostic.ts'

/** Visitors of one name go to one place. */
export function checkRelayedNames({ relay }: Pick<Spec, 'relay'>): Finding[] {
  return repeatedNames(relay).map(({ name, path }): Finding => {
    const message = `"${name}" is relayed to two places: visitors of a name go to one`
    const hint = 'keep it where its visitors should go, and remove the other'
    return { code: 'INVALID_VALUE', path: ['relay', ...path], message, hint }
  })
}

/** Being reachable through relays needs one, and its domain. An address may come in another way than by the spec. */
export function checkRelay({ relay: { enable, addresses, domain } }: Pick<Spec, 'relay'>): Finding[] {
  if (!enable) return []
  if (addresses.length > 0) {
    if (domain !== undefined || addresses.some((address) => /^relay\./i.test(address))) return []
    const message = 'no name is given below a relay’s domain: none of relay.addresses is relay.DOMAIN'
    return [
      { code: 'MISSING_KEY', severity: 'warning', path: ['relay', 'addresses'], message, hint: 'set relay.domain' },
    ]
  }
  const message = 'relay.enable needs relay.addresses: the gateway dials no relay'
  const hint = 'write addresses = ["relay.example.org:443"]'
  return [{ code: 'MISSING_KEY', severity: 'warning', path: ['relay', 'enable'], message, hint }]
}
