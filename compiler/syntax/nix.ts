import { pathText, type SpecPath } from '../spec-path.ts'

/**
 * The Nix language, as far as a module needs it: the tree, and the only place that escapes for it. Texts become
 * double-quoted literals only; the indented form would strip and interpret what a spec says.
 * @see https://nix.dev/manual/nix/latest/language/string-literals
 */
export type Nix =
  /** A text; parts that are trees are interpolated. */
  | { readonly kind: 'string'; readonly parts: readonly (string | Nix)[] }
  /** A text of whole lines, one literal each. */
  | { readonly kind: 'lines'; readonly lines: readonly Line[] }
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'list'; readonly items: readonly Nix[] }
  | { readonly kind: 'set'; readonly entries: readonly Attribute[] }
  /** The same expression, with the text of the spec path that it comes from. */
  | { readonly kind: 'from'; readonly origin: string; readonly value: Nix }
  /** An expression of the compiler itself. Never made of anything from a spec. */
  | { readonly kind: 'code'; readonly text: string }

/** One line of a file inside the module, and the spec path that it comes from. */
export type Line = { readonly parts: readonly (string | Nix)[]; readonly origin: string }

export type Attribute = { readonly path: readonly string[]; readonly value: Nix; readonly origin?: SpecPath }

export type Module = {
  readonly origin: SpecPath
  readonly comment: readonly string[]
  /** Names for expressions of the compiler itself. */
  readonly bindings: Readonly<Record<string, string>>
  readonly config: readonly Attribute[]
}

export const str = (...parts: readonly (string | Nix)[]): Nix => ({ kind: 'string', parts })
export const integer = (value: number): Nix => ({ kind: 'integer', value })
export const boolean = (value: boolean): Nix => ({ kind: 'boolean', value })
export const list = (items: readonly Nix[]): Nix => ({ kind: 'list', items })
export const set = (entries: readonly Attribute[]): Nix => ({ kind: 'set', entries })
export const from = (origin: string, value: Nix): Nix => ({ kind: 'from', origin, value })
export const code = (text: string): Nix => ({ kind: 'code', text })

/** The text of a NixOS module and, for each line, the path in the spec that it comes from. */
export function printModule(module: Module): { text: string; origins: string[] } {
  const whole = pathText(module.origin)
  const own = (text: string): Printed => ({ text, origin: whole })
  const names = Object.entries(module.bindings)
  const lines = [
    ...module.comment.map((line) => own(`# ${line}`)),
    own('{ config, lib, pkgs, ... }:'),
    ...(names.length === 0
      ? []
      : [own('let'), ...names.map(([name, value]) => own(`  ${name} = ${value};`)), own('in')]),
    ...printNix(set(module.config), whole),
  ]
  return { text: lines.map(({ text }) => `${text}\n`).join(''), origins: lines.map(({ origin }) => origin) }
}

/** One expression as text. */
export function nixText(value: Nix): string {
  return printNix(value, '')
    .map(({ text }) => text)
    .join('\n')
}

type Printed = { readonly text: string; readonly origin: string }

function printNix(value: Nix, origin: string): Printed[] {
  switch (value.kind) {
    case 'string':
      return [{ text: quoted(value.parts), origin }]
    case 'lines':
      return block(
        'lib.concatLines [',
        value.lines.map((line) => [{ text: quoted(line.parts), origin: line.origin }]),
        ']',
        origin,
      )
    case 'integer':
      if (!Number.isSafeInteger(value.value)) throw new RangeError(`not an integer: ${value.value}`)
      // a sign would be an operator between the items of a list
      return [{ text: value.value < 0 ? `(${value.value})` : String(value.value), origin }]
    case 'boolean':
      return [{ text: String(value.value), origin }]
    case 'list':
      return printList(value.items, origin)
    case 'set':
      return block(
        '{',
        value.entries.map((entry) => printAttribute(entry, origin)),
        '}',
        origin,
      )
    case 'from':
      return printNix(value.value, value.origin)
    case 'code':
      return value.text.split('\n').map((text) => ({ text, origin }))
  }
}

const LIST_WIDTH = 60

/** A list stands on one line when its items do. */
function printList(items: readonly Nix[], origin: string): Printed[] {
  const printed = items.map((item) => {
    const lines = printNix(item, origin)
    const [first] = lines
    if (item.kind !== 'code' && item.kind !== 'lines') return lines
    if (lines.length === 1 && first !== undefined) return [{ ...first, text: `(${first.text})` }]
    return [{ text: '(', origin }, ...indent(lines), { text: ')', origin }]
  })
  const text = `[ ${printed.map(([first]) => first?.text).join(' ')} ]`
  const fits = text.length <= LIST_WIDTH && printed.every((lines) => lines.length === 1)
  return printed.length > 0 && fits ? [{ text, origin }] : block('[', printed, ']', origin)
}

function printAttribute(attribute: Attribute, around: string): Printed[] {
  const origin = attribute.origin === undefined ? around : pathText(attribute.origin)
  const lines = printNix(attribute.value, origin)
  const name = attribute.path.map(attributeName).join('.')
  return lines.map((line, i) => ({
    ...line,
    text: `${i === 0 ? `${name} = ` : ''}${line.text}${i === lines.length - 1 ? ';' : ''}`,
  }))
}

function block(open: string, inner: readonly Printed[][], close: string, origin: string): Printed[] {
  if (inner.length === 0) return [{ text: `${open} ${close}`, origin }]
  return [{ text: open, origin }, ...indent(inner.flat()), { text: close, origin }]
}

function indent(lines: readonly Printed[]): Printed[] {
  return lines.map(({ text, origin }) => ({ text: `  ${text}`, origin }))
}

const KEYWORDS = ['assert', 'else', 'if', 'in', 'inherit', 'let', 'or', 'rec', 'then', 'with']

function attributeName(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_'-]*$/.test(name) && !KEYWORDS.includes(name) ? name : quoted([name])
}

function quoted(parts: readonly (string | Nix)[]): string {
  // neighbours are joined first: a "$" at the end of one and a "{" at the start of the next would interpolate
  const joined: (string | Nix)[] = []
  for (const part of parts) {
    const last = joined.at(-1)
    if (typeof part === 'string' && typeof last === 'string') joined[joined.length - 1] = last + part
    else joined.push(part)
  }
  const texts = joined.map((part, i) => {
    if (typeof part !== 'string') return `\${${nixText(part)}}`
    const next = joined[i + 1]
    // "$" before an interpolation would escape it
    return next !== undefined && part.endsWith('$') ? `${escapeText(part.slice(0, -1))}\\$` : escapeText(part)
  })
  return `"${texts.join('')}"`
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '${': '\\${',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

/** @throws RangeError for what no Nix text can hold: NUL, and halves of surrogate pairs */
function escapeText(text: string): string {
  if (text.includes('\0') || !text.isWellFormed())
    throw new RangeError(`a Nix text cannot hold this: ${JSON.stringify(text)}`)
  return text.replace(/[\\"\n\r\t]|\$\{/g, (found) => ESCAPES[found] ?? found)
}
