import { nodeAt } from '../../schemas/keys.ts'
import { configKeys } from './key-set.ts'
import { ConfigError, keySuggestion } from './problems.ts'
import { parseVariable } from './variable-value.ts'

/**
 * Reads a value from text by the type of its key, exactly as environment values are read.
 * @throws ConfigError UNKNOWN_KEY, WRONG_TYPE
 */
export function readValue(key: string, text: string): unknown {
  const { tree } = configKeys()
  const path = key.split('.')
  const node = nodeAt(tree, path)
  if (node === undefined) {
    const hint = keySuggestion(tree, path)
    const message = `${key} is no key`
    throw new ConfigError([
      { code: 'UNKNOWN_KEY', layer: 'runtime', where: key, key, message, ...(hint !== undefined && { hint }) },
    ])
  }
  const found = parseVariable({ path, node }, text, key)
  if ('code' in found) throw new ConfigError([{ ...found, layer: 'runtime' }])
  return found.value
}
