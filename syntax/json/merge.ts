import type { Edit } from '../toml/edit.ts'
import { isTree, merge, type Path, type Tree, withoutValues } from '../tree.ts'

/**
 * Puts values into a JSON text. Every other key and its place stay, and so does the width of the indentation.
 * @param own tables that are replaced as a whole, not key by key
 * @returns refused for a text that is not plain JSON, such as one with comments, or that would not stay what it says
 */
export function mergeIntoJson(text: string, values: Tree, own: readonly Path[] = []): Edit {
  const before = text.trim() === '' ? {} : parsed(text)
  if (!isTree(before)) return { kind: 'refused', reason: 'it is not plain JSON: it has comments, or a mistake' }
  const lost = lostIn(text, before)
  if (lost !== null) return { kind: 'refused', reason: lost }
  const indent = /^[ \t]+(?=")/m.exec(text)?.[0] ?? '  '
  return { kind: 'edited', text: `${JSON.stringify(merge([values, withoutValues(before, own)]), null, indent)}\n` }
}

const STRING_AND_COLON = /"(?:[^"\\]|\\.)*"(\s*:)?/g
const NUMBER = /-?\d[\d.eE+-]*/g

/** What of valid JSON would be another after it was read and written; null: nothing. */
function lostIn(text: string, value: unknown): string | null {
  let keys = 0
  const rest = text.replace(STRING_AND_COLON, (_, colon?: string) => {
    if (colon !== undefined) keys += 1
    return ' '
  })
  if (keys > keysIn(value)) return 'a key appears twice in one of its objects'
  const number = (rest.match(NUMBER) ?? []).find((one) => !isKept(one))
  return number === undefined ? null : `it has a number of which digits would be lost: ${number.slice(0, 50)}`
}

/** Fractions are what their digits mean to any reader of JSON. */
function isKept(number: string): boolean {
  const value = Number(number)
  return /^-?\d+$/.test(number) ? Number.isSafeInteger(value) : Number.isFinite(value)
}

function keysIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const inner = Object.values(value).reduce((sum: number, one) => sum + keysIn(one), 0)
  return Array.isArray(value) ? inner : inner + Object.keys(value).length
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
