import { parse as parseToml, TomlError } from 'smol-toml'
import { type Diagnostic, locate } from '../diagnostic.ts'
import type { SpecPath } from '../spec-path.ts'
import { indexSource, type Source } from './source.ts'

export type Document = { readonly value: unknown; readonly source: Source; readonly diagnostics: readonly Diagnostic[] }

/**
 * Reads TOML, or JSON when the text starts with a brace. Texts with control characters are refused here, once for
 * every key and value, so no line break ever reaches an emitter.
 */
export function parseDocument(text: string, file: string): Document | { readonly diagnostics: readonly Diagnostic[] } {
  let value: unknown
  try {
    value = /^\s*\{/.test(text) ? JSON.parse(text) : parseToml(text)
  } catch (error) {
    const place = syntaxError(error)
    const span = { file, line: place.line, column: place.column, endColumn: place.column + 1 }
    return { diagnostics: [{ code: 'SYNTAX', severity: 'error', span, path: '', message: place.message }] }
  }
  const source = indexSource(file, text)
  const repeated = source.repeated.map((path) =>
    locate({ code: 'DUPLICATE_KEY', path, part: 'key', message: 'this key is written twice' }, source),
  )
  return { value, source, diagnostics: [...repeated, ...controlCharacters(value, [], source)] }
}

function syntaxError(error: unknown): { line: number; column: number; message: string } {
  if (error instanceof TomlError) {
    const message = (error.message.split('\n')[0] ?? '').replace(/^Invalid TOML document: /, '')
    return { line: error.line, column: error.column, message }
  }
  if (!(error instanceof SyntaxError)) throw error
  const place = /\(line (\d+) column (\d+)\)/.exec(error.message)
  const message = error.message.replace(/ in JSON at position .*$/s, '')
  return { line: Number(place?.[1] ?? 1), column: Number(place?.[2] ?? 1), message }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff]/

function controlCharacters(value: unknown, path: SpecPath, source: Source): Diagnostic[] {
  if (typeof value === 'string') return isOneLine(value) ? [] : [refused(path, 'value', source)]
  if (typeof value !== 'object' || value === null || value instanceof Date) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const step = Array.isArray(value) ? Number(key) : key
    const below = controlCharacters(inner, [...path, step], source)
    return isOneLine(key) ? below : [refused([...path, step], 'key', source), ...below]
  })
}

/** One line of well-formed text: no C0, C1, DEL, line or paragraph separator, no lone surrogate, nothing that XML cannot hold. `__proto__` is no name either. */
function isOneLine(text: string): boolean {
  return !CONTROL.test(text) && text.isWellFormed() && text !== '__proto__'
}

function refused(path: SpecPath, part: 'key' | 'value', source: Source): Diagnostic {
  const message = 'this text holds a line break, a control character or half a surrogate pair'
  return locate({ code: 'CONTROL_CHARACTER', path, part, message, hint: 'write it on one line, without them' }, source)
}
