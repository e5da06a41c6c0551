import { keyPathText, tomlText } from '../../schemas/words/key-path.ts'
import { isTree } from '../tree.ts'

/** A value on one line. @throws TypeError for what TOML cannot hold, such as null */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return tomlText(value)
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return numberText(value)
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`
  if (!isTree(value)) throw new TypeError('TOML holds texts, numbers, booleans, lists and tables')
  const pairs = Object.entries(value).filter(([, inner]) => inner !== undefined)
  if (pairs.length === 0) return '{}'
  return `{ ${pairs.map(([key, inner]) => `${keyPathText([key])} = ${valueText(inner)}`).join(', ')} }`
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError('a number must be finite')
  if (Object.is(value, -0)) return '-0.0'
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : String(value)
}
