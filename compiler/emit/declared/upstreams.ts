import type { SpecPath } from '../../../schemas/spec/path.ts'
import { environmentSegment } from '../../../schemas/words/key-names.ts'
import { defaultBaseUrl } from '../../../schemas/words/providers.ts'
import { type JsonNode, object, value } from '../../../syntax/json/print.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Deployment } from '../../ir/deployment.ts'

/** Upstreams of the spec. Keys are credentials. */
export function declaredUpstreams({ upstreams }: Deployment): { node: JsonNode; findings: Finding[] } {
  return {
    node: object(['upstreams'], Object.fromEntries(Object.entries(upstreams).map(upstreamEntry))),
    findings: Object.entries(upstreams).flatMap(([name, { provider, base_url }]): Finding[] => {
      if (provider === 'echo' || (base_url ?? defaultBaseUrl(provider)) !== undefined) return []
      const message = `the provider ${provider} has no usual address`
      return [{ code: 'MISSING_KEY', path: ['upstreams', name], message, hint: 'write base_url' }]
    }),
  }
}

/** Names that are one in the daemon: there a backend is an upstream, and in its environment "-" is "_". */
export function sameNames(items: readonly { readonly name: string; readonly path: SpecPath }[]): Finding[] {
  return [...Map.groupBy(items, ({ name }) => environmentSegment(name)).values()].flatMap(([first, ...others]) =>
    others.map(({ path, name }) => {
      const message = `to the daemon "${name}" is the same name as ${first?.path.join('.')}`
      return { code: 'NAME_COLLISION', path, part: 'key', message, hint: 'rename one of them' }
    }),
  )
}

function upstreamEntry([name, upstream]: [string, Deployment['upstreams'][string]]): [string, JsonNode] {
  const { enabled, provider, base_url, models, timeout, idle_timeout, connect_timeout, api_key: _, ...rest } = upstream
  rest satisfies Record<string, never>
  const at = (key: string): SpecPath => ['upstreams', name, key]
  return [
    name,
    object(['upstreams', name], {
      enabled: value(at('enabled'), enabled),
      provider: value(at('provider'), provider),
      base_url: base_url === undefined ? undefined : value(at('base_url'), base_url),
      models: models === undefined ? undefined : value(at('models'), models),
      timeout: value(at('timeout'), timeout),
      idle_timeout: value(at('idle_timeout'), idle_timeout),
      connect_timeout: value(at('connect_timeout'), connect_timeout),
    }),
  ]
}
