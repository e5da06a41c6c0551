import type { SpecPath } from '../../../schemas/spec/path.ts'
import { environmentName } from '../../../schemas/words/key-names.ts'
import { compactJson, type JsonNode } from '../../../syntax/json/print.ts'

/** One variable of the daemon's environment. */
export type Variable = { readonly name: string; readonly value: string; readonly origin: SpecPath }

/** Tables that people name entries of: a variable holds the whole as JSON, so that names keep their spelling. */
const NAMED = new Set(['upstreams', 'backends', 'models'])

/**
 * The declared layer as environment, for a target that has no place for a file. Empty lists and tables are left out:
 * they are what the daemon has anyway.
 */
export function variablesOf(declared: JsonNode, path: readonly string[] = []): Variable[] {
  const [first = ''] = path
  if (declared.kind === 'object' && !NAMED.has(first))
    return Object.entries(declared.entries).flatMap(([key, node]) =>
      node === undefined ? [] : variablesOf(node, [...path, key]),
    )
  const text = compactJson(declared)
  if (text === '[]' || text === '{}') return []
  const isText = declared.kind === 'value' && typeof declared.value === 'string'
  return [{ name: environmentName(path), value: isText ? String(declared.value) : text, origin: declared.origin }]
}
