import { randomInt } from 'node:crypto'
import type { DnsProvider } from '../../../pki/acme/challenges/dns.ts'
import { cloudflare } from '../../../pki/acme/dns/cloudflare.ts'
import { rfc2136 } from '../../../pki/acme/dns/rfc2136.ts'
import { send } from '../../../pki/acme/request.ts'
import type { RelayConfig } from '../../../schemas/relay-config.ts'
import { heedLimits } from '../dns/heed-limits.ts'
import { domainOf } from './settings.ts'

/** Who is told the records of challenges; null: no one. */
export function dnsProvider(now: () => number): (config: RelayConfig) => DnsProvider | null {
  const patient = heedLimits(send, now)
  return (config) => {
    const { provider, cloudflare: account, rfc2136: server } = config.dns
    switch (provider) {
      case undefined:
        return null
      case 'cloudflare':
        return cloudflare({ api: account.api, token: account.api_token ?? '', zone: account.zone_id }, patient)
      case 'rfc2136': {
        const key = { name: server.key_name ?? '', algorithm: server.algorithm, secret: server.secret ?? '' }
        const zone = server.zone ?? domainOf(config)
        return rfc2136({ server: server.server ?? '', zone, key }, now, () => randomInt(2 ** 16))
      }
    }
  }
}
