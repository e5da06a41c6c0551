import type { SpecPath } from '../../schemas/spec/path.ts'
import { type Line, type Printed, printLines } from '../lines.ts'

/**
 * YAML 1.2 in block style: the tree, and the only place that escapes for it. Texts are always double-quoted, so that
 * none can be a number, a boolean, an anchor or a comment, whatever YAML version the reader follows.
 * @see https://yaml.org/spec/1.2.2/#73-flow-scalar-styles
 */
export type YamlNode = YamlText | YamlScalar | YamlMap | YamlList
type Origin = { readonly origin?: SpecPath }
export type YamlText = Origin & { readonly kind: 'text'; readonly text: string }
export type YamlScalar = Origin & { readonly kind: 'scalar'; readonly value: number | boolean }
export type YamlMap = Origin & { readonly kind: 'map'; readonly entries: readonly (readonly [string, YamlNode])[] }
export type YamlList = Origin & { readonly kind: 'list'; readonly items: readonly YamlNode[] }

const from = (origin: SpecPath | undefined): Origin => (origin === undefined ? {} : { origin })
export const yamlText = (text: string, origin?: SpecPath): YamlText => ({ kind: 'text', text, ...from(origin) })
export const yamlScalar = (value: number | boolean, origin?: SpecPath): YamlScalar => ({
  kind: 'scalar',
  value,
  ...from(origin),
})
export const yamlList = (items: readonly YamlNode[], origin?: SpecPath): YamlList => ({
  kind: 'list',
  items,
  ...from(origin),
})
/** Entries whose value is undefined are left out. */
export const yamlMap = (entries: Readonly<Record<string, YamlNode | undefined>>, origin?: SpecPath): YamlMap => ({
  kind: 'map',
  entries: Object.entries(entries).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])),
  ...from(origin),
})

/** @param origin where the file as a whole comes from */
export function printYaml(comment: readonly string[], root: YamlMap, origin: SpecPath): Printed {
  const head = comment.map((text) => ({ text: `# ${text}`, origin }))
  return printLines([...head, ...nodeLines(root, '', origin)])
}

function nodeLines(node: YamlMap | YamlList, indent: string, above: SpecPath): Line[] {
  const origin = node.origin ?? above
  if (node.kind === 'map')
    return node.entries.flatMap(([key, value]) => childLines(`${indent}${keyText(key)}:`, value, `${indent}  `, origin))
  return node.items.flatMap((item) => itemLines(item, indent, origin))
}

function childLines(head: string, node: YamlNode, indent: string, above: SpecPath): Line[] {
  const origin = node.origin ?? above
  const flat = flatText(node)
  if (flat !== undefined) return [{ text: `${head} ${flat}`, origin }]
  return [{ text: head, origin }, ...nodeLines(node as YamlMap | YamlList, indent, origin)]
}

/** The first line of an item comes after its dash. */
function itemLines(node: YamlNode, indent: string, above: SpecPath): Line[] {
  const flat = flatText(node)
  if (flat !== undefined) return [{ text: `${indent}- ${flat}`, origin: node.origin ?? above }]
  const [first, ...rest] = nodeLines(node as YamlMap | YamlList, `${indent}  `, node.origin ?? above)
  if (first === undefined) return []
  return [{ text: `${indent}- ${first.text.slice(indent.length + 2)}`, origin: first.origin }, ...rest]
}

/** What fits on one line; undefined for a map or list that holds something. */
function flatText(node: YamlNode): string | undefined {
  switch (node.kind) {
    case 'text':
      return quoted(node.text)
    case 'scalar':
      return String(node.value)
    case 'map':
      return node.entries.length === 0 ? '{}' : undefined
    case 'list':
      return node.items.length === 0 ? '[]' : undefined
  }
}

/** Plain keys cannot be mistaken for anything else; `on`, `yes` and numbers can. */
function keyText(key: string): string {
  return /^[a-z][a-z_]{3,}$/.test(key) && !/^(?:true|false|null)$/.test(key) ? key : quoted(key)
}

/** JSON's escapes are YAML's; beyond them YAML wants what no editor shows escaped as well. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
