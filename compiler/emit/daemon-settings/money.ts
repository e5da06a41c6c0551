import type { SpecPath } from '../../../schemas/spec/path.ts'
import { type JsonNode, object, value } from '../../../syntax/json/print.ts'
import type { Deployment } from '../../ir/deployment.ts'

/** Budgets and limits, which the daemon's configuration has as the spec has them. */
export function moneyTables({ budgets, limits }: Pick<Deployment, 'budgets' | 'limits'>) {
  return { budgets: named('budgets', budgets, budgetNode), limits: named('limits', limits, limitNode) }
}

function named<T>(
  table: 'budgets' | 'limits',
  entries: Readonly<Record<string, T>>,
  node: (origin: SpecPath, entry: T) => JsonNode,
): JsonNode | undefined {
  const nodes = Object.entries(entries).map(([name, entry]) => [name, node([table, name], entry)] as const)
  return nodes.length === 0 ? undefined : object([table], Object.fromEntries(nodes))
}

function budgetNode(origin: SpecPath, entry: Deployment['budgets'][string]): JsonNode {
  const { limit, window, zone, scope, soft, overdraft, unknown_price: unknownPrice, ...rest } = entry
  rest satisfies Record<string, never>
  const at = (key: string, content: string | boolean) => value([...origin, key], content)
  return object(origin, {
    limit: at('limit', limit),
    window: at('window', window),
    zone: at('zone', zone),
    scope: at('scope', scope),
    soft: at('soft', soft),
    overdraft: at('overdraft', overdraft),
    unknown_price: at('unknown_price', unknownPrice),
  })
}

function limitNode(origin: SpecPath, entry: Deployment['limits'][string]): JsonNode {
  const { requests_per_minute: requests, tokens_per_minute: tokens, concurrent, scope, ...rest } = entry
  rest satisfies Record<string, never>
  const at = (key: string, content: number | undefined) =>
    content === undefined ? undefined : value([...origin, key], content)
  return object(origin, {
    requests_per_minute: at('requests_per_minute', requests),
    tokens_per_minute: at('tokens_per_minute', tokens),
    concurrent: at('concurrent', concurrent),
    scope: value([...origin, 'scope'], scope),
  })
}
