import type { Config } from '../../schemas/config/config.ts'
import type { AlertDestination } from './message.ts'

/** Where alerts go, by name. */
export function destinationsOf({ alerts }: Pick<Config, 'alerts'>): Record<string, AlertDestination> {
  const all = Object.entries(alerts).flatMap<readonly [string, AlertDestination]>(
    ([name, { enabled, kind, url, secret, token, events }]) => {
      if (!enabled) return []
      if (kind === 'ntfy') return [[name, { kind, url, token, events }] as const]
      return secret === undefined ? [] : [[name, { kind, url, secret, events }] as const]
    },
  )
  return Object.fromEntries(all)
}
