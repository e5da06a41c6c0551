import type { KeyNode } from '../schemas/config/keys.ts'
import { SECRET_PLACEHOLDER, type ShownValue } from '../schemas/config/layers.ts'
import { isTree } from '../syntax/tree.ts'

/** The value with every secret replaced by the placeholder. */
export function shown(node: KeyNode | undefined, value: unknown): ShownValue {
  if (value === undefined) return undefined
  if (node?.meta.secret) return SECRET_PLACEHOLDER
  if (!isTree(value) || node === undefined || node.kind === 'leaf') return value
  const below = (key: string) => (node.kind === 'map' ? node.entry : node.fields.get(key))
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shown(below(key), inner)]))
}
