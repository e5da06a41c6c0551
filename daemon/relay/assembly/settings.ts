import { byteCount, durationMs } from '../../../schemas/config/values.ts'
import type { RelayConfig } from '../../../schemas/relay-config.ts'
import type { ClaimRules } from '../registry/claims.ts'
import type { RelayLimits, RelaySettings } from '../server/parts.ts'

/** For a relay of a network of its own, which names no domain. @see https://www.iana.org/domains: .internal is private */
export const PRIVATE_DOMAIN = 'gate.internal'

/** What HTTP/2 begins with, and what a slow visitor of one node may pin at most. */
const [LEAST_WINDOW, MOST_WINDOW] = [2 ** 16, 2 ** 24]

export const domainOf = ({ domain_suffix }: RelayConfig): string => domain_suffix ?? PRIVATE_DOMAIN

export function settingsOf(config: RelayConfig): RelaySettings {
  return { domain: domainOf(config), trustedProxies: config.trusted_proxies, allowFrom: config.allow_from }
}

export function rulesOf(config: RelayConfig): ClaimRules {
  return {
    domain: domainOf(config),
    namesPerNode: config.limits.names_per_node,
    wantsInvite: config.invite.required,
  }
}

export function limitsOf({ limits }: RelayConfig): RelayLimits {
  return {
    visitors: limits.visitors,
    unparsed: limits.unparsed,
    openPerAddress: limits.open_per_address,
    burstPerAddress: limits.burst_per_address,
    newPerAddressPerSecond: limits.new_per_address_per_second,
    tunnels: limits.tunnels,
    tunnelsPerNode: limits.tunnels_per_node,
    tunnelsPerAddress: limits.tunnels_per_address,
    registrationsPerMinute: limits.registrations_per_minute,
    streamsPerNode: limits.streams_per_node,
    bytesPerSecondPerNode: limits.bytes_per_second_per_node,
    dailyBytesPerNode: limits.daily_bytes_per_node,
    challengesPerHour: limits.challenges_per_hour,
    bufferedBytes: byteCount(limits.buffered),
    windowBytes: Math.min(MOST_WINDOW, Math.max(LEAST_WINDOW, byteCount(limits.window))),
    idleMs: durationMs(limits.idle_timeout),
    drainMs: durationMs(limits.drain_timeout),
  }
}
