import type { ErrorObject } from 'ajv'

/** Says what is wrong with a value; empty: nothing. */
export type Faults = (value: unknown) => readonly Pick<ErrorObject, 'keyword' | 'instancePath' | 'params'>[]

/** Each may uncover others, inside of what it was about. */
const MOST_ROUNDS = 4
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const LEFT_OUT = Symbol('left out')

/**
 * Gives the values of an object or array the types that are asked for, where that loses nothing: `"5"` for a number, 5
 * for a string, JSON inside a string, null for what may be left out.
 * @param json what is changed, as it was written @returns null when it still does not fit
 */
export function coerced(json: string, faults: Faults): string | null {
  if (!hasExactNumbers(json)) return null // writing it again would change them
  const value: unknown = JSON.parse(json)
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const found = faults(value)
    if (found.length === 0) return JSON.stringify(value)
    const wanted = new Map<string, unknown[]>()
    for (const { keyword, instancePath, params } of found) {
      if (keyword !== 'type' || instancePath === '') continue
      const others = wanted.get(instancePath) ?? []
      for (const one of meant(valueAt(value, instancePath), [params['type']].flat())) {
        if (!others.some((other) => isSame(other, one))) others.push(one)
      }
      wanted.set(instancePath, others)
    }
    const sure = [...wanted].filter(([, values]) => values.length === 1)
    if (sure.length === 0) return null
    for (const [path, [one]] of sure) put(value, path, one)
  }
  return null
}

function hasExactNumbers(json: string): boolean {
  let isExact = true
  JSON.parse(json, (_key, value, context?: { readonly source?: string }) => {
    if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) isExact = false
    if (typeof value === 'number' && (context?.source?.replace(/\D/g, '').length ?? 0) > 15) isExact = false
    return value
  })
  return isExact
}

/** What a value of the wrong type stands for, as each of these types. */
function meant(value: unknown, types: readonly unknown[]): readonly unknown[] {
  return types.flatMap((type) => {
    if (value === null) return [LEFT_OUT]
    if (type === 'string') return typeof value === 'number' || typeof value === 'boolean' ? [String(value)] : []
    return typeof value === 'string' ? readAs(type, value.trim()) : []
  })
}

function readAs(type: unknown, text: string): readonly unknown[] {
  switch (type) {
    case 'number':
    case 'integer': {
      const number = NUMBER.test(text) ? Number(text) : Number.NaN
      const fits = type === 'integer' ? Number.isSafeInteger(number) : Number.isFinite(number)
      return fits ? [number] : []
    }
    case 'boolean':
      return /^(?:true|false)$/i.test(text) ? [text.toLowerCase() === 'true'] : []
    case 'null':
      return text === 'null' || text === 'None' ? [null] : []
    case 'array':
      return text.startsWith('[') ? parsed(text) : []
    case 'object':
      return text.startsWith('{') ? parsed(text) : []
    default:
      return []
  }
}

function parsed(text: string): readonly unknown[] {
  try {
    return hasExactNumbers(text) ? [JSON.parse(text)] : []
  } catch {
    return []
  }
}

const isSame = (a: unknown, b: unknown): boolean =>
  a === b || (a !== LEFT_OUT && JSON.stringify(a) === JSON.stringify(b))

type Place = Record<string, unknown>

/** @param path a JSON pointer, RFC 6901 */
function keysIn(path: string): readonly string[] {
  return path
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function valueAt(value: unknown, path: string): unknown {
  return keysIn(path).reduce((inside, key) => (hasKey(inside, key) ? inside[key] : undefined), value)
}

function put(value: unknown, path: string, one: unknown): void {
  const keys = keysIn(path)
  const last = keys.at(-1)
  const place = keys.slice(0, -1).reduce((inside, key) => (hasKey(inside, key) ? inside[key] : undefined), value)
  if (last === undefined || !hasKey(place, last)) return
  if (one !== LEFT_OUT) Object.defineProperty(place, last, { value: one, enumerable: true })
  else if (!Array.isArray(place)) delete place[last]
}

const hasKey = (value: unknown, key: string): value is Place =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
