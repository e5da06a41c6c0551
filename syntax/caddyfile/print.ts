import { pathText, type SpecPath } from '../../schemas/spec/path.ts'

/**
 * The Caddyfile: the tree, and the only place that quotes for it.
 * @see https://caddyserver.com/docs/caddyfile/concepts
 */
export type CaddyNode = {
  /** A directive with its arguments, or the addresses of a site; empty for the global options. */
  readonly words: readonly Word[]
  readonly block?: readonly CaddyNode[]
  /** Absent: that of the node around it. */
  readonly origin?: SpecPath
}

/** A string reads back as it is; an expression holds placeholders for Caddy to fill in. */
export type Word = string | { readonly kind: 'expression'; readonly text: string }

/** A text with placeholders. Never made of anything from a spec. */
export const placeholders = (text: string): Word => ({ kind: 'expression', text })

export const line = (...words: readonly Word[]): CaddyNode => ({ words })

export function group(words: readonly Word[], block: readonly CaddyNode[], origin?: SpecPath): CaddyNode {
  return { words, block, ...(origin === undefined ? {} : { origin }) }
}

/** The text of a file and, for each line, the path in the spec that it comes from. */
export function printCaddyfile(comment: readonly string[], nodes: readonly CaddyNode[], origin: SpecPath) {
  const lines = comment.map((text) => ({ text: `# ${text}`, origin: pathText(origin) }))
  for (const node of nodes) lines.push(...printNode(node, '', origin))
  return { text: lines.map(({ text }) => `${text}\n`).join(''), origins: lines.map((line) => line.origin) }
}

/** Why a Caddyfile cannot hold a text as it is, or undefined when it can. */
export function caddyRefusal(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'it contains a control character'
  if (/[{}]/.test(text)) return 'it contains a brace, which Caddy takes for a placeholder'
  // double quotes know no other escape than \", and backquotes none
  return text.includes('`') && /["\\]/.test(text)
    ? 'it contains a backquote together with a quote or backslash'
    : undefined
}

function printNode(
  { words, block, origin }: CaddyNode,
  indent: string,
  above: SpecPath,
): { text: string; origin: string }[] {
  const path = origin ?? above
  const here = pathText(path)
  const head = words.map(printWord)
  if (block === undefined) return [{ text: `${indent}${head.join(' ')}`, origin: here }]
  const inner = block.flatMap((node) => printNode(node, `${indent}\t`, path))
  return [
    { text: `${indent}${[...head, '{'].join(' ')}`, origin: here },
    ...inner,
    { text: `${indent}}`, origin: here },
  ]
}

function printWord(word: Word): string {
  if (typeof word !== 'string') return word.text
  const refusal = caddyRefusal(word)
  if (refusal !== undefined) throw new RangeError(`a Caddyfile cannot hold ${JSON.stringify(word)}: ${refusal}`)
  if (/^[A-Za-z0-9_.:/@?%+=*[\]-]+$/.test(word)) return word
  return /["\\]/.test(word) ? `\`${word}\`` : `"${word}"`
}
