import type { SpecPath } from '../../schemas/spec/path.ts'
import { keyPathText } from '../../schemas/words/key-path.ts'
import { type Line, type Printed, printLines } from '../lines.ts'
import { valueText } from './text.ts'

/**
 * TOML in tables: the tree, and the only place that escapes for it. Texts are basic strings.
 * @see https://toml.io/en/v1.0.0
 */
export type TomlFile = { readonly comment: readonly string[]; readonly tables: readonly TomlTable[] }

export type TomlTable = {
  /** Empty for the top of the file. */
  readonly path: readonly string[]
  /** Whether it is one of several tables of this name: `[[path]]`. */
  readonly isElement?: true
  readonly entries: readonly TomlEntry[]
}

export type TomlEntry = { readonly key: string; readonly value: TomlValue; readonly origin?: SpecPath }
export type TomlValue = string | number | boolean | readonly string[]

/** @param origin where the file as a whole comes from */
export function printToml({ comment, tables }: TomlFile, origin: SpecPath): Printed {
  const lines: Line[] = comment.map((text) => ({ text: `# ${text}`, origin }))
  for (const { path, isElement, entries } of tables) {
    const name = keyPathText(path)
    if (lines.length > 0) lines.push({ text: '', origin })
    if (path.length > 0) lines.push({ text: isElement ? `[[${name}]]` : `[${name}]`, origin })
    for (const entry of entries)
      lines.push({ text: `${keyPathText([entry.key])} = ${valueText(entry.value)}`, origin: entry.origin ?? origin })
  }
  return printLines(lines)
}
