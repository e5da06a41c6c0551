import type { SpecPath } from '../../../schemas/spec/path.ts'
import { type JsonNode, object, value } from '../../../syntax/json/print.ts'
import type { Deployment } from '../../ir/deployment.ts'

/** Other gateways, which the daemon's configuration has as the spec has them. */
export function peerTable({ peers }: Pick<Deployment, 'peers'>): JsonNode | undefined {
  const nodes = Object.entries(peers).map(([name, entry]) => [name, peerNode(['peers', name], entry)] as const)
  return nodes.length === 0 ? undefined : object(['peers'], Object.fromEntries(nodes))
}

function peerNode(origin: SpecPath, { node, addresses, relays, ...rest }: Deployment['peers'][string]): JsonNode {
  rest satisfies Record<string, never>
  const list = (key: string, all: readonly string[]) => (all.length === 0 ? undefined : value([...origin, key], all))
  return object(origin, {
    node: value([...origin, 'node'], node),
    addresses: list('addresses', addresses),
    relays: list('relays', relays),
  })
}
