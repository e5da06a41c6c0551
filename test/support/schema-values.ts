import { below, pick } from './fuzz.ts'

/** As much of JSON Schema as the document of the API uses. */
export type Shape = {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Shape[]
  readonly oneOf?: readonly Shape[]
  readonly allOf?: readonly Shape[]
  readonly properties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Shape | boolean
  readonly items?: Shape
  readonly $ref?: string
}

const TEXTS = [
  'x',
  'own',
  'echo',
  'gate',
  'admin',
  '7d',
  'day',
  '1',
  'https://hook.example/',
  '192.0.2.0/24',
  'chat:read',
]

/** A value that is mostly of a shape: names and texts are among those that mean something somewhere. */
export function valueIn(random: () => number, shape: Shape, depth = 0): unknown {
  if (depth > 5) return null
  if (shape.const !== undefined) return shape.const
  if (shape.enum !== undefined) return pick(random, shape.enum)
  const either = shape.anyOf ?? shape.oneOf ?? shape.allOf
  if (either !== undefined) return valueIn(random, pick(random, either), depth + 1)
  const type = typeof shape.type === 'object' ? pick(random, shape.type) : shape.type
  switch (type) {
    case 'object': {
      const own = Object.entries(shape.properties ?? {}).filter(
        ([name]) => shape.required?.includes(name) === true || random() < 0.4,
      )
      const { additionalProperties: more } = shape
      const others = typeof more === 'object' ? [[pick(random, TEXTS), more] as const] : []
      return Object.fromEntries([...own, ...others].map(([name, of]) => [name, valueIn(random, of, depth + 1)]))
    }
    case 'array':
      return Array.from({ length: below(random, 3) }, () => valueIn(random, shape.items ?? {}, depth + 1))
    case 'boolean':
      return random() < 0.5
    case 'integer':
      return below(random, 1_000)
    case 'number':
      return random() * 1_000
    case 'null':
      return null
    default:
      return pick(random, TEXTS)
  }
}
