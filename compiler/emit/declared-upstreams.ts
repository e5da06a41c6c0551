import { environmentSegment } from '../../schemas/key-names.ts'
import { defaultBaseUrl } from '../../schemas/providers.ts'
import type { Finding } from '../diagnostic.ts'
import type { Backend, Deployment } from '../ir/deployment.ts'
import type { SpecPath } from '../spec-path.ts'
import { type JsonNode, object, value } from '../syntax/json.ts'

/** How long the daemon waits for the headers of an answer, beyond the start of a backend that sleeps. */
const ANSWER_TIMEOUT_MS = 600_000
/** Requests of the daemon go to a path of this URL when the connection is a Unix socket. */
const SOCKET_BASE_URL = 'http://localhost/v1'

/** Upstreams of the spec, and every backend that serves models as one more, of the same name. Keys are credentials. */
export function declaredUpstreams({ upstreams, backends }: Deployment): { node: JsonNode; findings: Finding[] } {
  const servers = backends.filter(({ isUpstream }) => isUpstream)
  const all = [...Object.entries(upstreams).map(upstreamEntry), ...servers.map(backendEntry)]
  return {
    node: object(['upstreams'], Object.fromEntries(all)),
    findings: [
      ...sameNames([
        ...Object.keys(upstreams).map((name) => ({ name, path: ['upstreams', name] })),
        ...servers.map(({ name, origin }) => ({ name, path: origin })),
      ]),
      ...Object.entries(upstreams).flatMap(([name, { provider, base_url }]): Finding[] => {
        if (provider === 'echo' || (base_url ?? defaultBaseUrl(provider)) !== undefined) return []
        const message = `the provider ${provider} has no usual address`
        return [{ code: 'MISSING_KEY', path: ['upstreams', name], message, hint: 'write base_url' }]
      }),
    ],
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

function backendEntry({
  name,
  engine,
  address,
  model,
  origin,
  idleStopMs,
  startTimeoutMs,
}: Backend): [string, JsonNode] {
  const timeoutMs = ANSWER_TIMEOUT_MS + (idleStopMs === undefined ? 0 : startTimeoutMs)
  const isSocket = address.kind === 'unix'
  return [
    name,
    object(origin, {
      provider: value([...origin, 'engine'], engine === 'open-webui' ? 'custom' : engine),
      base_url: value(origin, isSocket ? SOCKET_BASE_URL : `http://${address.host}:${address.port}/v1`),
      socket: isSocket ? value(origin, address.path) : undefined,
      models: model === undefined ? undefined : value([...origin, 'model'], [model]),
      timeout: value(origin, `${timeoutMs}ms`),
    }),
  ]
}
