import type { Spec } from '../../schemas/spec/spec.ts'
import type { Finding } from '../diagnostic.ts'

/** Alerts go nowhere without a URL, and webhooks are signed. A secret may come in another way than by the spec. */
export function checkAlerts({ alerts }: Spec): Finding[] {
  return Object.entries(alerts).flatMap(([name, { kind, url, secret }]): Finding[] => {
    const missing = [
      ...(url === undefined ? ['url'] : []),
      ...(kind === 'webhook' && secret === undefined ? ['secret'] : []),
    ]
    return missing.map((key) => {
      const message = `kind "${kind}" needs ${key}`
      const hint = `write ${key} = { credential = "${name}-${key}" }`
      return { code: 'MISSING_KEY', severity: 'warning', path: ['alerts', name], part: 'key', message, hint }
    })
  })
}
