import type { SpecPath } from '../../schemas/spec/path.ts'
import { type Line, type Printed, printLines } from '../lines.ts'

/**
 * Property lists in XML: the tree, and the only place that escapes for it.
 * @see plist(5), https://www.apple.com/DTDs/PropertyList-1.0.dtd
 */
export type PlistNode = { readonly origin?: SpecPath } & (
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'array'; readonly items: readonly PlistNode[] }
  | { readonly kind: 'dict'; readonly entries: readonly (readonly [string, PlistNode])[] }
)

export const plistString = (text: string, origin?: SpecPath): PlistNode => ({
  kind: 'string',
  text,
  ...(origin && { origin }),
})
export const plistInteger = (value: number, origin?: SpecPath): PlistNode => ({
  kind: 'integer',
  value,
  ...(origin && { origin }),
})
export const plistBoolean = (value: boolean): PlistNode => ({ kind: 'boolean', value })
export const plistArray = (items: readonly PlistNode[]): PlistNode => ({ kind: 'array', items })
/** Entries whose value is undefined are left out. */
export const plistDict = (entries: Readonly<Record<string, PlistNode | undefined>>, origin?: SpecPath): PlistNode => ({
  kind: 'dict',
  entries: Object.entries(entries).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])),
  ...(origin && { origin }),
})

const HEAD = [
  '<?xml version="1.0" encoding="UTF-8"?>',
  '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
]

/** @param origin where the file as a whole comes from */
export function printPlist(comment: readonly string[], root: PlistNode, origin: SpecPath): Printed {
  const line = (text: string): Line => ({ text, origin })
  return printLines([
    ...HEAD.map(line),
    ...comment.map((text) => line(`<!-- ${text} -->`)),
    line('<plist version="1.0">'),
    ...nodeLines(root, '', origin),
    line('</plist>'),
  ])
}

function nodeLines(node: PlistNode, indent: string, above: SpecPath): Line[] {
  const origin = node.origin ?? above
  const line = (text: string): Line => ({ text: `${indent}${text}`, origin })
  switch (node.kind) {
    case 'string':
      return [line(`<string>${escaped(node.text)}</string>`)]
    case 'integer':
      return [line(`<integer>${node.value}</integer>`)]
    case 'boolean':
      return [line(node.value ? '<true/>' : '<false/>')]
    case 'array':
      return [
        line('<array>'),
        ...node.items.flatMap((item) => nodeLines(item, `${indent}  `, origin)),
        line('</array>'),
      ]
    case 'dict': {
      const inner = node.entries.flatMap(([key, value]) => [
        { text: `${indent}  <key>${escaped(key)}</key>`, origin: value.origin ?? origin },
        ...nodeLines(value, `${indent}  `, origin),
      ])
      return [line('<dict>'), ...inner, line('</dict>')]
    }
  }
}

/** Not even as a reference may XML 1.0 hold these; https://www.w3.org/TR/xml/#charsets */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/

function escaped(text: string): string {
  if (NOT_XML.test(text) || !text.isWellFormed())
    throw new RangeError(`a property list cannot hold this text: ${JSON.stringify(text)}`)
  return text.replace(/[&<>\t\r\n\u0085\u2028]/g, (c) => `&#${c.charCodeAt(0)};`)
}
