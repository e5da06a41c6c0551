import { hash } from 'node:crypto'
import { Ajv, type Options, type SchemaObject, type ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { isJson } from '../../syntax/json/is-json.ts'
import { nearlyJson } from '../../syntax/json/nearly.ts'
import { coerced } from './coerced.ts'

/** What a model wrote that is to be JSON. `schema`: what it must fit, as JSON; null: it must be an object. */
export type Question = {
  readonly text: string
  readonly schema: string | null
  /** The arguments of a call, which are an object whatever the schema says, and may be empty. */
  readonly isCall: boolean
}

/** `json` is the text itself, or what it means. `unchecked`: Gate cannot tell. */
export type Verdict =
  | { readonly kind: 'sound'; readonly json: string }
  | { readonly kind: 'wrong'; readonly problem: string }
  | { readonly kind: 'unchecked' }

const MAX_SCHEMA_CHARACTERS = 256 * 2 ** 10
const MAX_SCHEMA_DEPTH = 64
const MOST_COMPILED = 128
const LONGEST_PROBLEM = 200

/** Formats are left to clients; what a schema says besides JSON Schema counts as nothing. */
const OPTIONS: Options = {
  allErrors: true,
  strict: false,
  validateSchema: false,
  validateFormats: false,
  meta: false,
  logger: false,
  addUsedSchema: false,
}

/** Answers such questions; schemas are compiled once. What runs it must survive schemas that never end. */
export function createVerdicts(): (question: Question) => Verdict {
  const compiled = new Map<string, ValidateFunction | null>()

  function validatorOf(schema: string): ValidateFunction | null {
    const digest = hash('sha256', schema)
    const known = compiled.get(digest)
    if (known !== undefined) compiled.delete(digest) // put in again, as the newest
    const validate = known === undefined ? compile(schema) : known
    compiled.set(digest, validate)
    const [oldest] = compiled.keys()
    if (compiled.size > MOST_COMPILED && oldest !== undefined) compiled.delete(oldest)
    return validate
  }

  return ({ text, schema, isCall }) => {
    const json = jsonIn(text, isCall || schema === null, isCall)
    if (json === null) return { kind: 'wrong', problem: isCall || schema === null ? 'not a JSON object' : 'not JSON' }
    if (schema === null) return { kind: 'sound', json }
    const validate = validatorOf(schema)
    if (validate === null) return { kind: 'sound', json }
    const faults = (value: unknown) => (validate(value) === true ? [] : (validate.errors ?? []))
    const [fault] = faults(JSON.parse(json))
    if (fault === undefined) return { kind: 'sound', json }
    const fitting = coerced(json, faults)
    if (fitting !== null) return { kind: 'sound', json: fitting }
    return { kind: 'wrong', problem: `${fault.instancePath || '/'} ${fault.message}`.slice(0, LONGEST_PROBLEM) }
  }
}

/** The JSON that a text is, or means; null: none. @param isObject nothing else will do */
function jsonIn(text: string, isObject: boolean, mayBeEmpty: boolean): string | null {
  if (mayBeEmpty && text.trim() === '') return '{}'
  const json = isJson(text) ? text : nearlyJson(text)
  if (json === null || !isObject) return json
  const value: unknown = JSON.parse(json)
  if (typeof value === 'string') return value.trim().startsWith('{') ? jsonIn(value, isObject, mayBeEmpty) : null
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? json : null
}

/** @returns null for a schema that cannot be used: what it is for is then JSON, and the rest is left to the client */
function compile(text: string): ValidateFunction | null {
  if (text.length > MAX_SCHEMA_CHARACTERS) return null
  const schema: unknown = JSON.parse(text)
  if (typeof schema !== 'object' || schema === null || isDeeper(schema, MAX_SCHEMA_DEPTH)) return null
  const { $schema: _draft, $async: _promise, ...rest } = schema as SchemaObject
  // clients name drafts rarely, and mix their words
  for (const make of [() => new Ajv2020(OPTIONS), () => new Ajv({ ...OPTIONS, unicodeRegExp: false })]) {
    try {
      return make().compile(rest)
    } catch {
      // the next draft
    }
  }
  return null
}

function isDeeper(value: object, most: number): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; depth <= most; depth += 1) {
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []))
    if (level.length === 0) return false
  }
  return true
}
