import { pathId, pathText, type SpecPath } from '../../schemas/spec/path.ts'
import type { TomlMistake } from '../../syntax/toml/read.ts'
import { scanToml } from '../../syntax/toml/scan.ts'
import type { Diagnostic } from '../diagnostic.ts'

/** What is wrong with a text that is not TOML, where it began to be wrong. */
export function tomlDiagnostic(text: string, file: string, mistake: TomlMistake): Diagnostic {
  const { line, column, reason } = mistake
  const span = { file, line, column, endColumn: column + 1 }
  const plain: Diagnostic = { code: 'SYNTAX', severity: 'error', span, path: '', message: reason }
  const written = text.split('\n')[line - 1]?.replace(/\r$/, '') ?? ''
  if (reason.includes('unsafe property')) return reservedName(plain, written)
  if (reason.includes('control characters') && column > written.length) return openQuote(plain, written)
  if (reason.includes('redefine')) return repeated(plain, text, written)
  return plain
}

/** Names that would be something else in the objects of JavaScript. */
function reservedName(plain: Diagnostic, written: string): Diagnostic {
  const found = /__proto__|constructor/.exec(written)
  if (found === null) return plain
  const [name] = found
  const span = { ...plain.span, column: found.index + 1, endColumn: found.index + 1 + name.length }
  const message = `"${name}" cannot be a name: it is reserved`
  return { ...plain, code: 'INVALID_VALUE', span, message, hint: 'write another name' }
}

/** The last quote of the line that none closes. */
function openQuote(plain: Diagnostic, written: string): Diagnostic {
  let opened: { readonly at: number; readonly quote: string } | undefined
  for (let at = 0; at < written.length; at++) {
    const letter = written[at]
    if (opened === undefined && letter === '#') break
    if (letter === '\\' && opened?.quote === '"') at += 1
    else if (opened === undefined && (letter === '"' || letter === "'")) opened = { at, quote: letter }
    else if (letter === opened?.quote) opened = undefined
  }
  if (opened === undefined) return plain
  const span = { ...plain.span, column: opened.at + 1, endColumn: written.length + 1 }
  const message = 'the text that begins here has no closing quote on its line'
  return { ...plain, span, message, hint: `add ${opened.quote} at its end` }
}

/** The parser has accepted all that comes before the mistake. */
function repeated(plain: Diagnostic, text: string, written: string): Diagnostic {
  const lines = text.split('\n')
  const before = scanToml(lines.slice(0, plain.span.line - 1).join('\n'))
  const [again] = scanToml(written)
  if (again === undefined || again.kind === 'element') return plain
  const headers = before.filter(({ kind }) => kind === 'header')
  const base = again.kind === 'header' ? [] : (headers.at(-1)?.path ?? [])
  const path: SpecPath = [...base, ...again.path]
  const first = before
    .flatMap((item) => (item.kind === 'element' ? [] : item.names()))
    .find((name) => pathId(name.path) === pathId(path))
  if (first === undefined) return plain
  const line = text.slice(0, first.span.start).split('\n').length
  const start = /\S/.exec(written)?.index ?? 0
  const end = again.kind === 'header' ? written.trimEnd().length : again.key.end
  const what = again.kind === 'header' ? 'table' : 'key'
  return {
    ...plain,
    code: 'DUPLICATE_KEY',
    span: { ...plain.span, column: start + 1, endColumn: end + 1 },
    path: pathText(path),
    message: `this ${what} appears twice; the first is on line ${line}: ${nameOn(lines[line - 1] ?? '')}`,
    hint: what === 'table' ? 'write all its keys under one of the two' : 'remove one of them',
  }
}

/** What is before the value, which may be a secret. */
function nameOn(line: string): string {
  return line.replace(/=.*/, '').trim().slice(0, 60)
}
