import { array, type JsonNode, object, value } from '../../../syntax/json/print.ts'
import { isTree, type Tree, valueAt } from '../../../syntax/tree.ts'
import type { Finding } from '../../diagnostic.ts'

/**
 * Lays settings over what came of the spec: tables merge, everything else replaces. Lines of the settings have no
 * origin.
 * @param settings keys of schemas/config/config.ts, checked already
 */
export function overlay(below: JsonNode, settings: Tree): JsonNode {
  if (below.kind !== 'object') return nodeOf(settings)
  const laid = Object.entries(settings).map(([key, above]): [string, JsonNode] => {
    const under = Object.hasOwn(below.entries, key) ? below.entries[key] : undefined
    return [key, under !== undefined && isTree(above) ? overlay(under, above) : nodeOf(above)]
  })
  // Object.fromEntries, since an assignment to __proto__ makes no entry
  return object(below.origin, Object.fromEntries([...Object.entries(below.entries), ...laid]))
}

function nodeOf(content: unknown): JsonNode {
  if (isTree(content))
    return object([], Object.fromEntries(Object.entries(content).map(([key, inner]) => [key, nodeOf(inner)])))
  if (Array.isArray(content)) {
    const items: readonly unknown[] = content
    const texts = items.filter((item) => typeof item === 'string')
    return texts.length === items.length ? value([], texts) : array([], items.map(nodeOf))
  }
  if (typeof content === 'string' || typeof content === 'number' || typeof content === 'boolean')
    return value([], content)
  throw new TypeError(`a setting cannot be ${content === null ? 'null' : typeof content}`)
}

/** Sockets, proxies and firewalls are made from the spec, so settings may repeat these and not change them. */
const ADDRESSES = ['host', 'port', 'p2p_port'] as const

/** Settings that would leave the daemon listening elsewhere than the rest of the output says. */
export function contradictions(declared: JsonNode, settings: Tree): Finding[] {
  const server = declared.kind === 'object' ? declared.entries['server'] : undefined
  return ADDRESSES.flatMap((key): Finding[] => {
    const set = valueAt(settings, ['server', key])
    const node = server?.kind === 'object' ? server.entries[key] : undefined
    if (set === undefined || node?.kind !== 'value' || plain(set) === plain(node.value)) return []
    const message = `the settings say server.${key} = ${JSON.stringify(set)}, but everything else is made for ${JSON.stringify(node.value)}`
    const hint = `write it in the spec: gate.server.${key}`
    return [{ code: 'CONTRADICTING_SETTING', path: ['gate', 'server', key], message, hint }]
  })
}

/** An IPv6 address is written with brackets or without. */
const plain = (content: unknown): string => String(content).replace(/^\[(.*)\]$/, '$1')
