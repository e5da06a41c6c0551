import type { SpecPath } from '../../../schemas/spec/path.ts'
import { environmentSegment } from '../../../schemas/words/key-names.ts'
import { defaultBaseUrl, exampleBaseUrl } from '../../../schemas/words/providers.ts'
import { type JsonNode, object, value } from '../../../syntax/json/print.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Upstream } from '../../ir/nodes/gateway.ts'
import { durationText } from './duration-text.ts'
import { dialectsNode, pricesNode, tuningNodes } from './tuning.ts'

/** Upstreams of the spec. Keys are credentials. */
export function upstreamTable(upstreams: readonly Upstream[]): JsonNode {
  return object(
    ['upstreams'],
    Object.fromEntries(upstreams.map((upstream) => [upstream.name, upstreamEntry(upstream)])),
  )
}

function upstreamEntry(upstream: Upstream): JsonNode {
  const { name: _, origin, enabled, provider, baseUrl, socket, models, ...times } = upstream
  const { timeoutMs, idleTimeoutMs, connectTimeoutMs, ...more } = times
  const { keyRequestsPerMinute, dialects, parameters, systemPrefix, toolArguments, prices, ...rest } = more
  rest satisfies Record<string, never>
  const at = (key: string): SpecPath => [...origin, key]
  return object(origin, {
    enabled: value(at('enabled'), enabled),
    provider: value(at('provider'), provider),
    base_url: baseUrl === undefined ? undefined : value(at('base_url'), baseUrl),
    socket: socket === undefined ? undefined : value(at('socket'), socket),
    models: models === undefined ? undefined : value(at('models'), models),
    key_requests_per_minute:
      keyRequestsPerMinute === undefined ? undefined : value(at('key_requests_per_minute'), keyRequestsPerMinute),
    dialects: dialectsNode(origin, dialects),
    ...tuningNodes(origin, { parameters, systemPrefix }),
    tool_arguments: toolArguments === undefined ? undefined : value(at('tool_arguments'), toolArguments),
    prices: pricesNode(origin, prices),
    timeout: value(at('timeout'), durationText(timeoutMs)),
    idle_timeout: value(at('idle_timeout'), durationText(idleTimeoutMs)),
    connect_timeout: value(at('connect_timeout'), durationText(connectTimeoutMs)),
  })
}

/** Upstreams that could not be found: what is not a known provider has to say where it is. */
export function missingAddresses(upstreams: readonly Upstream[]): Finding[] {
  return upstreams.flatMap(({ origin, provider, baseUrl }): Finding[] => {
    if (provider === 'echo' || (baseUrl ?? defaultBaseUrl(provider)) !== undefined) return []
    const message = `the provider ${provider} has no default address`
    return [
      { code: 'MISSING_KEY', path: origin, message, hint: `write base_url, such as "${exampleBaseUrl(provider)}"` },
    ]
  })
}

/** Names that are one in the daemon: there a backend is an upstream, and in its environment "-" is "_". */
export function sameNames(items: readonly { readonly name: string; readonly origin: SpecPath }[]): Finding[] {
  return [...Map.groupBy(items, ({ name }) => environmentSegment(name)).values()].flatMap(([first, ...others]) =>
    others.map(({ origin, name }) => {
      const message = `the daemon takes "${name}" for the same name as ${first?.origin.join('.')}`
      return { code: 'NAME_COLLISION', path: origin, part: 'key', message, hint: 'rename one of them' }
    }),
  )
}
