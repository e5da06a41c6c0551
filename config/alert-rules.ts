import type { Config } from '../schemas/config/config.ts'
import type { Conflict } from './conflict.ts'

/** A signature that anybody can make is none. */
export function unsignedAlerts({ alerts }: Config): Conflict[] {
  return Object.entries(alerts).flatMap(([name, { kind, secret }]) =>
    kind === 'webhook' && secret === undefined
      ? [
          {
            code: 'MISSING_KEY' as const,
            path: ['alerts', name, 'secret'],
            message: `alerts.${name} is a webhook, and alerts.${name}.secret is missing`,
            hint: () => 'set it to 16 characters or more that its receiver knows',
            without: ['alerts', name],
          },
        ]
      : [],
  )
}
