import { pathText, type SpecPath } from '../../schemas/spec/path.ts'
import { readToml, type TomlMistake } from '../../syntax/toml/read.ts'
import { BOM } from '../../syntax/toml/scan.ts'
import { type Diagnostic, locate } from '../diagnostic.ts'
import { indexSource, type Source } from './source.ts'
import { tomlDiagnostic } from './toml-mistake.ts'

export type Document = { readonly value: unknown; readonly source: Source; readonly diagnostics: readonly Diagnostic[] }

/**
 * Reads TOML, or JSON when the text starts with a brace. Texts with control characters are refused here, once for
 * every key and value, so no line break ever reaches an emitter.
 */
export function parseDocument(text: string, file: string): Document | { readonly diagnostics: readonly Diagnostic[] } {
  const isJson = /^\s*\{/.test(text)
  const read = isJson ? readJson(text) : readToml(text)
  if ('reason' in read) {
    if (!isJson) return { diagnostics: [tomlDiagnostic(text, file, read)] }
    const span = { file, line: read.line, column: read.column, endColumn: read.column + 1 }
    return { diagnostics: [{ code: 'SYNTAX', severity: 'error', span, path: '', message: read.reason }] }
  }
  const value: unknown = read.values
  const excess = excessOf(value)
  if (excess !== undefined) {
    const span = { file, line: 1, column: 1, endColumn: 2 }
    return { diagnostics: [{ code: 'SYNTAX', severity: 'error', span, path: '', message: excess }] }
  }
  const source = indexSource(file, text)
  const repeated = source.repeated.map(({ path, span }): Diagnostic => {
    const message = `this key appears twice; the first is on line ${source.keySpan(path).line}`
    return { code: 'DUPLICATE_KEY', severity: 'error', span, path: pathText(path), message, hint: 'remove one of them' }
  })
  return { value, source, diagnostics: [...repeated, ...controlCharacters(value, [], source)] }
}

/** No spec comes near these; whatever walks one may rely on them. */
const MOST_LEVELS = 32
const MOST_ITEMS = 10_000
const MOST_VALUES = 500_000

/** What is too much about a value, found without a call for each level. */
function excessOf(root: unknown): string | undefined {
  let level: readonly unknown[] = [root]
  let count = 0
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_LEVELS) return `this text is nested more than ${MOST_LEVELS} levels deep`
    count += level.length
    if (count > MOST_VALUES) return `this text has more than ${MOST_VALUES} values`
    if (level.some((value) => Array.isArray(value) && value.length > MOST_ITEMS))
      return `an array of this text has more than ${MOST_ITEMS} items`
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []))
  }
  return undefined
}

function readJson(text: string): { readonly values: unknown } | TomlMistake {
  try {
    return { values: JSON.parse(text.startsWith(BOM) ? text.slice(BOM.length) : text) }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const place = /\(line (\d+) column (\d+)\)/.exec(error.message)
    const reason = error.message.replace(/ in JSON at position .*$/s, '')
    return { line: Number(place?.[1] ?? 1), column: Number(place?.[2] ?? 1), reason }
  }
}

/** systemd refuses a unit with a noncharacter in any of its lines, and XML cannot hold the first two of them. */
const CONTROL = /[\p{Cc}\u2028\u2029\p{NChar}]/u

function controlCharacters(value: unknown, path: SpecPath, source: Source): Diagnostic[] {
  if (typeof value === 'string')
    return isOneLine(isConfigText(path) ? value.replaceAll(/[\n\t]/g, '') : value)
      ? []
      : [refused(path, 'value', source)]
  if (typeof value !== 'object' || value === null || value instanceof Date) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const step = Array.isArray(value) ? Number(key) : key
    const below = controlCharacters(inner, [...path, step], source)
    if (key === '__proto__') return [reserved([...path, step], source), ...below]
    return isOneLine(key) ? below : [refused([...path, step], 'key', source), ...below]
  })
}

/** `backends.<name>.config_files[i].text`: it becomes a file of its own, and no emitter puts it into another. */
function isConfigText([top, , key, , last, ...more]: SpecPath): boolean {
  return top === 'backends' && key === 'config_files' && last === 'text' && more.length === 0
}

/**
 * One line of well-formed text: no C0, C1, DEL, line or paragraph separator, no lone surrogate, no noncharacter such as
 * U+FFFE.
 */
function isOneLine(text: string): boolean {
  return !CONTROL.test(text) && text.isWellFormed()
}

function refused(path: SpecPath, part: 'key' | 'value', source: Source): Diagnostic {
  const message = 'this text contains a line break, a control character, a noncharacter or half a surrogate pair'
  return locate({ code: 'CONTROL_CHARACTER', path, part, message, hint: 'write it on one line, without them' }, source)
}

/** TOML's parser refuses it itself. */
function reserved(path: SpecPath, source: Source): Diagnostic {
  const message = '"__proto__" cannot be a name: it is reserved'
  return locate({ code: 'INVALID_VALUE', path, part: 'key', message, hint: 'write another name' }, source)
}
