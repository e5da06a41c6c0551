import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DnsProvider } from '../../../pki/acme/challenges/dns.ts'
import { cloudflare } from '../../../pki/acme/dns/cloudflare.ts'
import { rfc2136 } from '../../../pki/acme/dns/rfc2136.ts'
import { send } from '../../../pki/acme/request.ts'
import type { RelayConfig } from '../../../schemas/relay-config.ts'
import { heedLimits } from '../dns/heed-limits.ts'
import { domainOf } from './settings.ts'

/** What is missing for records of challenges; undefined: nothing, or none are wanted. */
export function dnsFlaw({ dns }: RelayConfig): string | undefined {
  const { provider } = dns
  if (provider === undefined) return undefined
  const missing = NEEDED[provider].find(
    (key) => (dns[provider] as Readonly<Record<string, unknown>>)[key] === undefined,
  )
  if (missing === undefined) return undefined
  return `dns.${provider}.${missing} is missing, which dns.provider = "${provider}" needs`
}

/** Keys of each provider that have no default. */
const NEEDED = { cloudflare: ['api_token'], rfc2136: ['server', 'key_name', 'secret'] } as const

/** Who is told the records of challenges; null: no one. */
export function dnsProvider(now: () => number): (config: RelayConfig) => DnsProvider | null {
  const patient = heedLimits(send, { now, wait: (ms, signal) => sleep(ms, undefined, { signal }) })
  return (config) => {
    const { provider, cloudflare: account, rfc2136: server } = config.dns
    switch (provider) {
      case undefined:
        return null
      case 'cloudflare':
        if (account.api_token === undefined) return null
        return cloudflare({ api: account.api, token: account.api_token, zone: account.zone_id }, patient)
      case 'rfc2136': {
        const { key_name: name, algorithm, secret, server: at, zone = domainOf(config) } = server
        if (name === undefined || secret === undefined || at === undefined) return null
        return rfc2136({ server: at, zone, key: { name, algorithm, secret } }, now, () => randomInt(2 ** 16))
      }
    }
  }
}
