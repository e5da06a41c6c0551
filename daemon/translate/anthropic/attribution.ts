import type { JsonOutline } from '../../../syntax/json/outline.ts'
import type { Edit } from '../json-splice.ts'
import { isRecord } from '../json-value.ts'

/**
 * The first line of Claude Code's instructions: for Anthropic's accounts alone, and different from version to version,
 * so that no other upstream's cache would ever match.
 */
const ATTRIBUTION = 'x-anthropic-billing-header:'

/** Another Gate takes it out itself, where it has to. */
const MEANT_FOR = new Set(['anthropic', 'peer'])

/** A text without that line; most have none. */
export function withoutAttribution(text: string): string {
  if (!text.startsWith(ATTRIBUTION)) return text
  const end = text.indexOf('\n')
  return end === -1 ? '' : text.slice(end + 1)
}

/** What takes the line out of a body; null when it has none, or the upstream is the one that it is meant for. */
export function attributionEdit(body: Buffer, provider: string, outline: JsonOutline): Edit | null {
  if (MEANT_FOR.has(provider) || outline.kind === 'refused' || !body.includes(ATTRIBUTION)) return null
  const member = outline.members.find(({ key }) => key === 'system')
  if (member === undefined) return null
  const system: unknown = JSON.parse(body.toString('utf8', member.start, member.end))
  const left = Array.isArray(system) ? blocksLeft(system) : system
  const text = JSON.stringify(typeof left === 'string' ? withoutAttribution(left) : left)
  return { start: member.start, end: member.end, text }
}

function blocksLeft([first, ...others]: readonly unknown[]): readonly unknown[] {
  if (!isRecord(first) || typeof first['text'] !== 'string') return first === undefined ? [] : [first, ...others]
  const text = withoutAttribution(first['text'])
  return text === '' ? others : [{ ...first, text }, ...others]
}
