import { parse, TomlError } from 'smol-toml'

/** Where and why a text is not valid TOML. `line` and `column` count from 1; `reason` never quotes the text. */
export type TomlMistake = { readonly line: number; readonly column: number; readonly reason: string }

/**
 * Reads a TOML document.
 * @param limits `maxDepth` of nested lists and inline tables
 * @returns its values as smol-toml gives them (tables, lists, texts, numbers, dates), or the first mistake
 */
export function readToml(
  text: string,
  limits: { readonly maxDepth?: number } = {},
): { readonly values: { readonly [key: string]: unknown } } | TomlMistake {
  try {
    return { values: parse(text, { unsafeKeyBehaviour: 'throw', ...limits }) }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // the first line is a constant sentence; those below quote the text, which may hold secrets
    const reason = (error.message.split('\n')[0] ?? '').replace('Invalid TOML document: ', '')
    return { line: error.line, column: error.column, reason }
  }
}
