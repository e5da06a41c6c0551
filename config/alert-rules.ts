import type { Config } from '../schemas/config/config.ts'
import type { Conflict } from './conflict.ts'

/** A signature that anybody can make is none. */
export function unsignedAlerts({ alerts }: Config): Conflict[] {
  return Object.entries(alerts).flatMap(([name, { kind, secret }]) =>
    kind === 'webhook' && secret === undefined
      ? [
          {
            code: 'INVALID_VALUE' as const,
            path: ['alerts', name],
            message: `alerts.${name} is a webhook, and alerts.${name}.secret is missing`,
            hint: () => 'set it to 16 characters or more that its receiver knows',
            without: ['alerts', name],
          },
        ]
      : [],
  )
}
