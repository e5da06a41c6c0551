import { type JsonNode, object, value } from '../../../syntax/json/print.ts'
import type { Backend } from '../../ir/nodes/backend.ts'
import { durationText } from './duration-text.ts'

/** Where a backend answers. Without an agent the daemon cannot start or stop it. */
export type Reach = { readonly baseUrl: string; readonly socket?: string; readonly agent?: string }

/** Backends that serve models. To the daemon each is an upstream, too. */
export function backendTable(servers: readonly { readonly backend: Backend; readonly reached: Reach }[]): JsonNode {
  return object(
    ['backends'],
    Object.fromEntries(servers.map(({ backend, reached }) => [backend.name, backendEntry(backend, reached)])),
  )
}

/** Engines that the daemon knows by name. */
const PROVIDERS: ReadonlySet<string> = new Set(['vllm', 'llama-cpp', 'ollama'])

function backendEntry(backend: Backend, { baseUrl, socket, agent }: Reach): JsonNode {
  // where it answers is the target's to say; its key is a credential; its account and unit are the host's
  const { name: _name, isUpstream: _is, address: _address, apiKey: _key, agentSocket: _agent, ...served } = backend
  const { user: _user, unit: _unit, origin, engine, model, group, idleStopMs, startTimeoutMs, ...limits } = served
  const { together, priority, maxConcurrent, maxWaiting, waitTimeoutMs, pricePerHour, ...rest } = limits
  rest satisfies Record<string, never>
  const at = (key: string, content: string | number | undefined): JsonNode | undefined =>
    content === undefined ? undefined : value([...origin, key], content)
  // only an agent stops a backend to make room for another, or knows that one has stopped on its own
  const canStop = agent !== undefined
  return object(origin, {
    provider: value([...origin, 'engine'], PROVIDERS.has(engine) ? engine : 'custom'),
    base_url: value(origin, baseUrl),
    socket: socket === undefined ? undefined : value(origin, socket),
    agent: agent === undefined ? undefined : value(origin, agent),
    models: model === undefined ? undefined : value([...origin, 'model'], [model]),
    group: canStop ? at('group', group) : undefined,
    together: canStop ? at('together', together) : undefined,
    priority: canStop && priority !== 0 ? at('priority', priority) : undefined,
    idle_stop: canStop && idleStopMs !== undefined ? at('idle_stop', durationText(idleStopMs)) : undefined,
    start_timeout: at('start_timeout', durationText(startTimeoutMs)),
    max_concurrent: at('max_concurrent', maxConcurrent),
    max_waiting: at('max_waiting', maxWaiting),
    wait_timeout: at('wait_timeout', durationText(waitTimeoutMs)),
    price_per_hour: at('price_per_hour', pricePerHour),
  })
}

/** What serves no models: where there is an agent, operators can look at it and start it. */
export function appTable(
  apps: readonly { readonly app: Backend; readonly agent: string | undefined }[],
): JsonNode | undefined {
  const known = apps.flatMap(({ app: { name, origin }, agent }) =>
    agent === undefined ? [] : [[name, object(origin, { agent: value(origin, agent) })] as const],
  )
  return known.length === 0 ? undefined : object(['backends'], Object.fromEntries(known))
}
