import type { Edit } from '../toml/edit.ts'
import { isTree, merge, type Path, type Tree, withoutValues } from '../tree.ts'

/**
 * Puts values into a JSON text. Every other key and its place stay, and so does the width of the indentation.
 * @param own tables that are replaced as a whole, not key by key
 * @returns refused for a text that is not plain JSON, such as one with comments
 */
export function mergeIntoJson(text: string, values: Tree, own: readonly Path[] = []): Edit {
  const before = text.trim() === '' ? {} : parsed(text)
  if (!isTree(before)) return { kind: 'refused', reason: 'it is not plain JSON: it has comments, or a mistake' }
  const indent = /^[ \t]+(?=")/m.exec(text)?.[0] ?? '  '
  return { kind: 'edited', text: `${JSON.stringify(merge([values, withoutValues(before, own)]), null, indent)}\n` }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
