import type { KeyNode, Leaf } from '../schemas/config/keys.ts'
import type { ConfigProblem } from '../schemas/config/layers.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import { isTree, type Path } from '../syntax/tree.ts'
import { parseJson } from './files.ts'

/** Texts that mean true and false. */
export const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
])

/** A value of the environment layer, and what gave it. */
export type Found = { readonly path: Path; readonly value: unknown; readonly source: string }

/** Reads the text of a variable by the type of its key; a table is given as JSON. */
export function parseVariable(
  key: { readonly path: Path; readonly node: KeyNode },
  text: string,
  source: string,
): Found | ConfigProblem {
  const found = (value: unknown): Found => ({ path: key.path, value, source })
  const wrong = (message: string, hint: string): ConfigProblem => ({
    code: 'WRONG_TYPE',
    layer: 'env',
    where: source,
    key: keyPathText(key.path),
    message,
    hint,
  })
  if (key.node.kind === 'leaf') {
    const value = leafValue(key.node, text)
    if (value !== undefined) return found(value)
    const { holds } = key.node
    const example = {
      number: '3000',
      boolean: 'true or false',
      list: '["a", "b"] or a,b',
      string: 'text',
      words: 'a or a,b',
    }[holds]
    return wrong(`is not a ${holds}`, `write ${example}`)
  }
  const value = parseJson(text)
  return isTree(value)
    ? found(value)
    : wrong('names a table, but its value is not a JSON object', 'set one of its keys')
}

/** @returns undefined when the text does not fit the type */
function leafValue({ holds }: Leaf, text: string): unknown {
  switch (holds) {
    case 'string':
      return text
    case 'number':
      return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined
    case 'boolean':
      return BOOLEANS.get(text)
    case 'words':
      return /[[,]/.test(text) ? listValue(text) : text
    case 'list':
      return listValue(text)
  }
}

/** @returns undefined when what begins like a JSON list is none */
function listValue(text: string): readonly unknown[] | undefined {
  // `[` starts a JSON list; anything else is a list of texts between commas.
  if (!/^\s*\[/.test(text))
    return text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
  const list = parseJson(text)
  return Array.isArray(list) ? list : undefined
}
