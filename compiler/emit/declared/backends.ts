import type { SpecPath } from '../../../schemas/spec/path.ts'
import { type JsonNode, object, value } from '../../../syntax/json/print.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Backend, Deployment } from '../../ir/deployment.ts'
import { sameNames } from './upstreams.ts'

/** Requests of the daemon go to a path of this URL when the connection is a Unix socket. */
const SOCKET_BASE_URL = 'http://localhost/v1'

/** Backends that serve models. To the daemon each is an upstream too, so it cannot have the name of one. */
export function declaredBackends({ upstreams, backends }: Deployment): { node: JsonNode; findings: Finding[] } {
  const servers = backends.filter(({ isUpstream }) => isUpstream)
  return {
    node: object(['backends'], Object.fromEntries(servers.map(backendEntry))),
    findings: sameNames([
      ...Object.keys(upstreams).map((name) => ({ name, path: ['upstreams', name] })),
      ...servers.map(({ name, origin }) => ({ name, path: origin })),
    ]),
  }
}

function backendEntry({
  origin,
  name,
  engine,
  address,
  model,
  agentSocket,
  group,
  idleStopMs,
  startTimeoutMs,
  maxConcurrent,
  maxWaiting,
  waitTimeoutMs,
}: Backend): [string, JsonNode] {
  const isSocket = address.kind === 'unix'
  const at = (key: string, content: string | number | undefined): JsonNode | undefined =>
    content === undefined ? undefined : value([...origin, key], content)
  return [
    name,
    object(origin, {
      provider: value([...origin, 'engine'], engine === 'open-webui' ? 'custom' : engine),
      base_url: value(origin, isSocket ? SOCKET_BASE_URL : `http://${address.host}:${address.port}/v1`),
      socket: isSocket ? value(origin, address.path) : undefined,
      agent: value(origin, agentSocket),
      models: model === undefined ? undefined : value([...origin, 'model'] satisfies SpecPath, [model]),
      group: at('group', group),
      idle_stop: at('idle_stop', idleStopMs === undefined ? undefined : `${idleStopMs}ms`),
      start_timeout: at('start_timeout', `${startTimeoutMs}ms`),
      max_concurrent: at('max_concurrent', maxConcurrent),
      max_waiting: at('max_waiting', maxWaiting),
      wait_timeout: at('wait_timeout', `${waitTimeoutMs}ms`),
    }),
  ]
}
