import { pathText, type SpecPath } from '../../schemas/spec/path.ts'

/** A JSON text with the origin of each line: the tree, and the only place that prints it. */
export type JsonNode =
  | { readonly kind: 'value'; readonly value: string | number | boolean | readonly string[]; readonly origin: SpecPath }
  | {
      readonly kind: 'object'
      readonly entries: Readonly<Record<string, JsonNode | undefined>>
      readonly origin: SpecPath
    }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[]; readonly origin: SpecPath }

export const value = (origin: SpecPath, content: string | number | boolean | readonly string[]): JsonNode => ({
  kind: 'value',
  value: content,
  origin,
})
/** Entries that are undefined are left out. */
export const object = (origin: SpecPath, entries: Readonly<Record<string, JsonNode | undefined>>): JsonNode => ({
  kind: 'object',
  entries,
  origin,
})
export const array = (origin: SpecPath, items: readonly JsonNode[]): JsonNode => ({ kind: 'array', items, origin })

/** The text, indented by two, and for each line the path in the spec that it comes from. */
export function printJson(node: JsonNode): { text: string; origins: string[] } {
  const lines = printNode(node, '', '', '')
  return { text: lines.map(({ text }) => `${text}\n`).join(''), origins: lines.map(({ origin }) => pathText(origin)) }
}

/** The same on one line, for a place that takes a text. */
export function compactJson(node: JsonNode): string {
  if (node.kind === 'value') return JSON.stringify(node.value)
  if (node.kind === 'array') return `[${node.items.map(compactJson).join(',')}]`
  const parts = named(node.entries).map(({ before, item }) => `${before.trimEnd()}${compactJson(item)}`)
  return `{${parts.join(',')}}`
}

type Line = { readonly text: string; readonly origin: SpecPath }

function printNode(node: JsonNode, indent: string, before: string, after: string): Line[] {
  const { origin } = node
  const line = (text: string): Line => ({ text: `${indent}${text}`, origin })
  if (node.kind === 'value') return [line(`${before}${JSON.stringify(node.value)}${after}`)]
  const [open, close] = node.kind === 'object' ? ['{', '}'] : ['[', ']']
  const parts = node.kind === 'object' ? named(node.entries) : node.items.map((item) => ({ before: '', item }))
  if (parts.length === 0) return [line(`${before}${open}${close}${after}`)]
  const inner = parts.flatMap((part, i) =>
    printNode(part.item, `${indent}  `, part.before, i === parts.length - 1 ? '' : ','),
  )
  return [line(`${before}${open}`), ...inner, line(`${close}${after}`)]
}

function named(entries: Readonly<Record<string, JsonNode | undefined>>): { before: string; item: JsonNode }[] {
  return Object.entries(entries).flatMap(([name, item]) =>
    item === undefined ? [] : [{ before: `${JSON.stringify(name)}: `, item }],
  )
}
