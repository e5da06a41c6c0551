import { attributeName } from '../syntax/nix/literal.ts'
import { indented, type OptionSchema } from './nix-options.ts'

/**
 * The keys of a table as a tree in Nix, spelled as in TOML: `null` is a value, `secret` a secret, `names` a map by
 * names that people give, `items` a list of tables.
 */
export function keyTreeText(schema: OptionSchema): string {
  if (schema.secret === true || schema.writeOnly === true) return '"secret"'
  if (schema.properties !== undefined) {
    const entries = Object.entries(schema.properties).map(
      ([key, inner]) => `${attributeName(key)} = ${keyTreeText(inner)};`,
    )
    return `{\n${indented(`keys = {\n${indented(entries.join('\n'))}\n};`)}\n}`
  }
  if (typeof schema.additionalProperties === 'object') return `{ names = ${keyTreeText(schema.additionalProperties)}; }`
  if (schema.items?.properties !== undefined) return `{ items = ${keyTreeText(schema.items)}; }`
  return 'null'
}
