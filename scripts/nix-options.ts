import { camelCase } from '../schemas/words/key-names.ts'
import { attributeName, nixLiteral } from '../syntax/nix/literal.ts'
import { nixPattern } from './nix-pattern.ts'

/** The part of JSON Schema that z.toJSONSchema writes for the spec and the configuration. */
export type OptionSchema = {
  /** A list where one of several is meant. */
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly examples?: readonly unknown[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly unit?: string
  readonly secret?: boolean
  readonly writeOnly?: boolean
  readonly pattern?: string
  readonly minLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly anyOf?: readonly OptionSchema[]
  readonly items?: OptionSchema
  readonly properties?: Readonly<Record<string, OptionSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: OptionSchema | boolean
  /** Name of a module that adds options of NixOS alone to a table. */
  readonly addedModule?: string
  /** What a text in place of the table means. */
  readonly textForm?: string
}

/**
 * spec: a key without a default may be absent (`null`), others have the default of the schema.
 * layer: every key may be absent, because another layer may hold it; the default is only told.
 */
export type OptionKind = 'spec' | 'layer'

/** The options of a table, as the text of a set: keys in camelCase. Names that people give stay as they are. */
export function optionSet(schema: OptionSchema, kind: OptionKind): string {
  const entries = Object.entries(schema.properties ?? {})
    // a setting is in the store, where no secret may be
    .filter(([, { writeOnly }]) => writeOnly !== true)
    .map(([key, inner]) => {
      const text = isGroup(inner, kind)
        ? optionSet(withDefaults(inner), kind)
        : option(inner, isNeeded(schema, key, inner), kind)
      return `${attributeName(camelCase(key))} = ${text};`
    })
  return `{\n${indented(entries.join('\n'))}\n}`
}

/** A table that is always there, so its keys are options themselves. */
function isGroup(schema: OptionSchema, kind: OptionKind): boolean {
  return schema.properties !== undefined && (kind === 'layer' || schema.default !== undefined)
}

/** The default of a table is that of its keys. */
function withDefaults(schema: OptionSchema): OptionSchema {
  const fallback = typeof schema.default === 'object' && schema.default !== null ? Object.entries(schema.default) : []
  const properties = Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([key, inner]) => {
      const own = fallback.find(([name]) => name === key)
      return [key, own === undefined ? inner : { ...inner, default: own[1] }]
    }),
  )
  return { ...schema, properties }
}

function isNeeded({ required }: OptionSchema, key: string, inner: OptionSchema): boolean {
  return required?.includes(key) === true && inner.default === undefined
}

/** One option. @param needed it has no value itself */
export function option(schema: OptionSchema, needed: boolean, kind: OptionKind): string {
  const type = optionType(schema, kind)
  const isMap = typeof schema.additionalProperties === 'object'
  const nullable = !needed && !isMap && (kind === 'layer' || schema.default === undefined)
  const example = exampleOf(schema)
  const lines = [
    `type = ${nullable ? `types.nullOr ${inParentheses(type)}` : type};`,
    ...(needed ? [] : [`default = ${isMap ? '{ }' : nullable ? 'null' : nixValue(schema.default)};`]),
    ...(nullable && schema.default !== undefined
      ? [`defaultText = literalMD ${nixLiteral([`what the daemon takes: \`${JSON.stringify(schema.default)}\``])};`]
      : []),
    ...(example === undefined ? [] : [`example = ${nixValue(example)};`]),
    `description = ${nixLiteral([description(schema)])};`,
  ]
  return `mkOption {\n${indented(lines.join('\n'))}\n}`
}

function description({ description = '', unit }: OptionSchema): string {
  return unit === undefined ? description : `${description} In ${unit}.`
}

/** An example that the schema has, or that its description gives. */
function exampleOf({ examples, description = '', type, secret }: OptionSchema): unknown {
  if (secret) return { file: '/run/secrets/name' }
  return examples?.[0] ?? (type === 'string' ? /such as "([^"]+)"/.exec(description)?.[1] : undefined)
}

/** The text of a type. */
export function optionType(schema: OptionSchema, kind: OptionKind): string {
  if (schema.secret) return 'secretReference'
  if (schema.enum !== undefined) return `types.enum ${nixValue(schema.enum)}`
  if (schema.const !== undefined) return `types.enum ${nixValue([schema.const])}`
  if (schema.anyOf !== undefined) return eitherOf(schema.anyOf.map((inner) => optionType(inner, kind)))
  if (schema.textForm !== undefined) {
    const { textForm: _, ...table } = schema
    return eitherOf(['types.nonEmptyStr', optionType(table, kind)])
  }
  if (schema.properties !== undefined) return submodule(schema, kind)
  if (typeof schema.additionalProperties === 'object')
    return `types.attrsOf ${inParentheses(optionType(schema.additionalProperties, kind))}`
  if (typeof schema.type === 'object') return eitherOf(schema.type.map((type) => optionType({ ...schema, type }, kind)))
  switch (schema.type) {
    case 'array':
      return `types.listOf ${inParentheses(optionType(schema.items ?? {}, 'spec'))}`
    case 'boolean':
      return 'types.bool'
    case 'integer':
      return integerType(schema)
    case 'number':
      return numberType(schema)
    case 'string':
      return stringType(schema)
    default:
      throw new TypeError(`no type of an option for ${JSON.stringify(schema)}`)
  }
}

function submodule(schema: OptionSchema, kind: OptionKind): string {
  const freeform = kind === 'layer' ? 'freeformType = anything;\n' : ''
  const own = `{\n${indented(`${freeform}options = ${optionSet(schema, kind)};`)}\n}`
  return schema.addedModule === undefined
    ? `types.submodule ${own}`
    : `types.submodule [ ${schema.addedModule} ${own} ]`
}

function eitherOf([first = '', ...others]: readonly string[]): string {
  return others.reduce((text, next) => `types.either ${inParentheses(text)} ${inParentheses(next)}`, first)
}

function numberType({ minimum, maximum, exclusiveMinimum }: OptionSchema): string {
  if (minimum !== undefined && maximum !== undefined) return `types.numbers.between ${minimum} ${maximum}`
  return exclusiveMinimum === 0 ? 'types.numbers.positive' : 'types.number'
}

function integerType({ minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER }: OptionSchema): string {
  if (maximum === 65_535 && minimum === 0) return 'types.port'
  if (maximum < Number.MAX_SAFE_INTEGER) return `types.ints.between ${minimum} ${maximum}`
  return minimum > 0 ? 'types.ints.positive' : 'types.ints.unsigned'
}

function stringType({ pattern, minLength = 0 }: OptionSchema): string {
  const matching = pattern === undefined ? undefined : nixPattern(pattern)
  if (matching !== undefined) return `types.strMatching ${nixLiteral([matching])}`
  // what no pattern of Nix can say is checked when the files are built
  return minLength > 0 || pattern !== undefined ? 'types.nonEmptyStr' : 'types.str'
}

/** A JSON value in Nix; keys of objects in camelCase. */
export function nixValue(value: unknown): string {
  if (typeof value === 'string') return nixLiteral([value])
  if (Array.isArray(value)) return value.length === 0 ? '[ ]' : `[ ${value.map(nixValue).join(' ')} ]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(
      ([key, inner]) => `${attributeName(camelCase(key))} = ${nixValue(inner)};`,
    )
    return entries.length === 0 ? '{ }' : `{ ${entries.join(' ')} }`
  }
  return String(value)
}

const inParentheses = (text: string): string => (text.includes(' ') ? `(${text})` : text)

export const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, '  ')
