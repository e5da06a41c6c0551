import type { Compiled } from '../../../compiler/compile.ts'
import type { OutputFile } from '../../../compiler/emit/output.ts'
import { describeKey } from '../../../compiler/parse/schema-walk.ts'
import { parsePathText, pathText } from '../../../schemas/spec/path.ts'
import { nearest } from '../../../schemas/words/nearest.ts'
import { TARGET_NAMES } from '../../../schemas/words/targets.ts'
import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import { failure, usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'
import { countText, diagnosticText } from '../../output/diagnostic-text.ts'
import { printable } from '../../output/printed.ts'
import { compileInput, readSpecInput, type SpecInput } from './spec-input.ts'

export const run: Run = async (invocation) => {
  const { arguments: words, json, print } = invocation
  const [, path = '', line] = /^(.*?)(?::(\d+))?$/s.exec(words[1] ?? '') ?? []
  const input = await readSpecInput(invocation)
  const { file, compiled } = findFile(input, path)
  const count = file.origins.length
  if (line !== undefined && (Number(line) < 1 || Number(line) > count))
    throw usageFailure(`${file.path} has no line ${line}`, `it has ${count} lines`)
  const from = line === undefined ? 0 : Number(line) - 1
  const explained = file.origins
    .slice(from, line === undefined ? count : from + 1)
    .map((origin, i) => explainLine(file, from + i, origin, compiled))
  if (json) print(JSON.stringify({ path: file.path, install: file.install, lines: explained }))
  else print(line === undefined ? wholeText(explained) : lineText(explained[0], input))
  return 0
}

/** The file of that path, by the first target that makes it. */
function findFile(input: SpecInput, path: string): { file: OutputFile; compiled: Compiled } {
  const [first = ''] = path.split('/')
  const named = TARGET_NAMES.filter((target) => target === first)
  const known: string[] = []
  const refused: string[] = []
  for (const target of named.length > 0 ? named : TARGET_NAMES) {
    const compiled = compileInput(input, [target])
    if (compiled.kind === 'refused') {
      refused.push(`${diagnosticText(compiled.diagnostics, input.text)}\n\n${countText(compiled.diagnostics)}`)
      continue
    }
    const file = compiled.files.find(
      (made) => made.path === path || made.install === path || path.endsWith(`/${made.path}`),
    )
    if (file !== undefined) return { file, compiled }
    known.push(...compiled.files.map((made) => made.path))
  }
  if (known.length === 0) throw failure('INVALID_SPEC', `${input.file} does not compile`, { hint: refused[0] })
  const near = nearest(path, known)
  const hint = near === undefined ? 'gatectl compile --json lists the files' : `did you mean ${near}?`
  throw failure('NO_SUCH_OUTPUT', `nothing made from this spec is called ${path}`, { hint })
}

type Explained = {
  readonly line: number
  readonly text: string
  /** Path in the spec; empty when the compiler itself wrote the line. */
  readonly origin: string
  /** The place of the origin, or of the nearest part of it that is written. */
  readonly spec?: { readonly file: string; readonly line: number; readonly column: number }
  /** Whether the spec says it, or it is a default. */
  readonly written?: boolean
  readonly description?: string
}

function explainLine({ text }: OutputFile, index: number, origin: string, { source }: Compiled): Explained {
  const shown = { line: index + 1, text: text.split('\n')[index] ?? '', origin }
  if (origin === '') return shown
  const path = parsePathText(origin)
  const written = source.writtenPath(path)
  const description = describeKey(path)
  const { file, line, column } = source.valueSpan(path)
  return {
    ...shown,
    ...(written.length > 0 && { spec: { file, line, column } }),
    written: pathText(written) === origin,
    ...(description !== undefined && { description }),
  }
}

/** Each line after the key that it comes from. */
function wholeText(lines: readonly Explained[]): string {
  const places = lines.map(({ origin, spec, written }) => {
    if (origin === '') return 'compiler'
    return `${origin}${spec === undefined || !written ? ' (default)' : `:${spec.line}`}`
  })
  const width = Math.max(...places.map((place) => place.length))
  return lines.map(({ text }, i) => `${(places[i] ?? '').padEnd(width)} | ${escapeControls(text)}`).join('\n')
}

function lineText(explained: Explained | undefined, input: SpecInput): string {
  if (explained === undefined) return ''
  const { text, origin, spec, written, description } = explained
  if (origin === '') {
    const maker = input.options.settings === undefined ? 'the compiler itself' : 'the compiler itself, or by --settings'
    return `${escapeControls(text)}\n  written by ${maker}`
  }
  const specLine = spec === undefined ? undefined : input.text.split('\n')[spec.line - 1]
  return [
    escapeControls(text),
    `  comes from ${escapeControls(origin)}${written ? '' : ', which is not written: a default'}`,
    ...(description === undefined ? [] : [`  ${description}`]),
    ...(spec === undefined
      ? []
      : [`  ${spec.file}:${spec.line}:${spec.column}`, printable(`  ${spec.line} | ${specLine ?? ''}`)]),
  ].join('\n')
}
