import type { KeyNode } from '../schemas/config/keys.ts'
import { SECRET_PLACEHOLDER, type ShownValue } from '../schemas/config/layers.ts'
import { isTree } from '../syntax/tree.ts'

/** What tells one secret from another: the same for the same one, worthless without a key that is nowhere on the disk. */
export type Fingerprint = (secret: string) => string

/** Below this a text could be found by trying. */
const SHORTEST = 20
const FEWEST_CHARACTERS = 10

/** The value with every secret replaced by the placeholder, or by its fingerprint where that gives nothing away. */
export function shown(node: KeyNode | undefined, value: unknown, fingerprint?: Fingerprint): ShownValue {
  if (value === undefined) return undefined
  if (node?.meta.secret)
    return fingerprint !== undefined && node.meta.thoughtUp !== true && isRandom(value)
      ? { ...SECRET_PLACEHOLDER, fingerprint: fingerprint(value) }
      : SECRET_PLACEHOLDER
  if (!isTree(value) || node === undefined || node.kind === 'leaf') return value
  const below = (key: string) => (node.kind === 'map' ? node.entry : node.fields.get(key))
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shown(below(key), inner, fingerprint)]))
}

/** Whether a secret looks as if a program had made it. Who may set a key could try the short ones, one after the other. */
function isRandom(value: unknown): value is string {
  if (typeof value !== 'string' || value.length < SHORTEST || /\s/.test(value)) return false
  return /\d/.test(value) && /[A-Za-z]/.test(value) && new Set(value).size >= FEWEST_CHARACTERS
}
