import type { SpecPath } from '../../../schemas/spec/path.ts'
import { type JsonNode, object, value } from '../../../syntax/json/print.ts'
import type { Deployment } from '../../ir/deployment.ts'

/** Who is told of what; where that is, and how it is signed, comes as credentials. */
export function alertTable({ alerts }: Deployment): JsonNode | undefined {
  const entries = Object.entries(alerts).map(([name, entry]) => {
    const { enabled, kind, events, url: _url, secret: _secret, token: _token, ...rest } = entry
    rest satisfies Record<string, never>
    const origin: SpecPath = ['alerts', name]
    const table = object(origin, {
      enabled: value([...origin, 'enabled'], enabled),
      kind: value([...origin, 'kind'], kind),
      events: value([...origin, 'events'], events),
    })
    return [name, table] as const
  })
  return entries.length === 0 ? undefined : object(['alerts'], Object.fromEntries(entries))
}
