import { pathText, type SpecPath } from '../../schemas/spec/path.ts'
import { attributeName, nixLiteral } from './literal.ts'

/**
 * The Nix language, as far as a module needs it: the tree, printed; nix-literal.ts escapes for it. Texts become
 * double-quoted literals only; the indented form would strip and interpret what a spec says.
 */
export type Nix =
  /** A text; parts that are trees are interpolated. */
  | { readonly kind: 'string'; readonly parts: readonly (string | Nix)[] }
  | { readonly kind: 'integer'; readonly value: number }
  /** With a fraction. */
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'list'; readonly items: readonly Nix[] }
  | { readonly kind: 'set'; readonly entries: readonly Attribute[] }
  /** The same expression, with the text of the spec path that it comes from. */
  | { readonly kind: 'from'; readonly origin: string; readonly value: Nix }
  /** An expression of the compiler itself. Never made of anything from a spec. */
  | { readonly kind: 'code'; readonly text: string }

export type Attribute = { readonly path: readonly string[]; readonly value: Nix; readonly origin?: SpecPath }

export type Module = {
  readonly origin: SpecPath
  readonly comment: readonly string[]
  readonly config: readonly Attribute[]
}

export const str = (...parts: readonly (string | Nix)[]): Nix => ({ kind: 'string', parts })
export const integer = (value: number): Nix => ({ kind: 'integer', value })
export const number = (value: number): Nix => ({ kind: 'number', value })
export const boolean = (value: boolean): Nix => ({ kind: 'boolean', value })
export const list = (items: readonly Nix[]): Nix => ({ kind: 'list', items })
export const set = (entries: readonly Attribute[]): Nix => ({ kind: 'set', entries })
export const from = (origin: string, value: Nix): Nix => ({ kind: 'from', origin, value })
export const code = (text: string): Nix => ({ kind: 'code', text })

/** The text of a NixOS module and, for each line, the path in the spec that it comes from. */
export function printModule(module: Module): { text: string; origins: string[] } {
  const whole = pathText(module.origin)
  const out: Printed = { lines: [], origins: [] }
  const own = (text: string): void => push(out, text, whole)
  for (const line of module.comment) own(`# ${line}`)
  print(out, set(module.config), whole, TOP)
  return { text: `${out.lines.join('\n')}\n`, origins: out.origins }
}

/** One expression as text. */
export function nixText(value: Nix): string {
  const out: Printed = { lines: [], origins: [] }
  print(out, value, '', TOP)
  return out.lines.join('\n')
}

type Printed = { readonly lines: string[]; readonly origins: string[] }

/** What is written around an expression: before it on its first line, after it on its last. */
type Around = { readonly indent: string; readonly before: string; readonly after: string }

const TOP: Around = { indent: '', before: '', after: '' }

function push(out: Printed, line: string, origin: string): void {
  out.lines.push(line)
  out.origins.push(origin)
}

function print(out: Printed, value: Nix, origin: string, around: Around): void {
  const { indent, before, after } = around
  if (value.kind === 'from') {
    print(out, value.value, value.origin, around)
    return
  }
  const line = oneLine(value)
  if (line !== undefined) {
    push(out, `${indent}${before}${line}${after}`, origin)
    return
  }
  const inner = `${indent}  `
  const block = (open: string, close: string, inside: () => void): void => {
    push(out, `${indent}${before}${open}`, origin)
    inside()
    push(out, `${indent}${close}${after}`, origin)
  }
  switch (value.kind) {
    case 'list':
      block('[', ']', () => {
        for (const item of value.items) print(out, item, origin, { indent: inner, ...itemParentheses(item) })
      })
      break
    case 'set':
      block('{', '}', () => {
        for (const { path, value: own, origin: from } of value.entries) {
          const name = `${path.map(attributeName).join('.')} = `
          print(out, own, from === undefined ? origin : pathText(from), { indent: inner, before: name, after: ';' })
        }
      })
      break
    case 'code': {
      const lines = value.text.split('\n')
      lines.forEach((text, i) => {
        push(out, `${indent}${i === 0 ? before : ''}${text}${i === lines.length - 1 ? after : ''}`, origin)
      })
      break
    }
    default:
      throw new Error(`a ${value.kind} must be on one line`)
  }
}

const LIST_WIDTH = 60

/** The expression when it fits on one line; undefined when it does not. */
function oneLine(value: Nix): string | undefined {
  switch (value.kind) {
    case 'string':
      return quoted(value.parts)
    case 'integer':
      if (!Number.isSafeInteger(value.value)) throw new RangeError(`not an integer: ${value.value}`)
      // a sign would be an operator between the items of a list
      return value.value < 0 ? `(${value.value})` : String(value.value)
    case 'number':
      return floatText(value.value)
    case 'boolean':
      return String(value.value)
    case 'list':
      return value.items.length === 0 ? '[ ]' : shortList(value.items)
    case 'set':
      return value.entries.length === 0 ? '{ }' : undefined
    case 'from':
      return oneLine(value.value)
    case 'code':
      return value.text.includes('\n') ? undefined : value.text
  }
}

/** Nix wants a point in a number with an exponent, and has neither infinities nor NaN. */
function floatText(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`not a Nix number: ${value}`)
  const text = String(value).replace(/^(-?\d+)(e|$)/, '$1.0$2')
  return value < 0 ? `(${text})` : text
}

/** A list is on one line when its items are. */
function shortList(items: readonly Nix[]): string | undefined {
  let text = '['
  for (const item of items) {
    const line = text.length > LIST_WIDTH ? undefined : oneLine(item)
    if (line === undefined) return undefined
    const { before, after } = itemParentheses(item)
    text += ` ${before}${line}${after}`
  }
  return text.length > LIST_WIDTH ? undefined : `${text} ]`
}

/** Between the items of a list, an application would be two of them. */
function itemParentheses(item: Nix): { readonly before: string; readonly after: string } {
  return item.kind === 'code' ? { before: '(', after: ')' } : { before: '', after: '' }
}

function quoted(parts: readonly (string | Nix)[]): string {
  return nixLiteral(parts.map((part) => (typeof part === 'string' ? part : { code: nixText(part) })))
}
