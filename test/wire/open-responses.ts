import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'

const document = JSON.parse(readFileSync(join(import.meta.dirname, 'schemas/open-responses.json'), 'utf8'))
const ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false })
ajv.addSchema(document, 'open-responses')
const compiled = new Map<string, ValidateFunction>()

const RESOURCES: Readonly<Record<string, string>> = {
  response: 'ResponseResource',
  'response.compaction': 'CompactResource',
}

/**
 * What the Open Responses document does not allow in a response, or in an event of its stream; empty when nothing is
 * wrong. Types that it does not name are extensions.
 */
export function openProblems(value: { readonly object?: unknown; readonly type?: unknown }): readonly string[] {
  const name = RESOURCES[String(value.object)] ?? String(value.type)
  if (!(name in document.definitions)) return []
  const validate = compiled.get(name) ?? ajv.compile({ $ref: `open-responses#/definitions/${name}` })
  compiled.set(name, validate)
  if (validate(value)) return []
  return (validate.errors ?? []).map(({ instancePath, message, params }) =>
    [name, instancePath, message, JSON.stringify(params)].join(' '),
  )
}

const NOT_OF_SDK = new Set(['presence_penalty', 'frequency_penalty', 'store'])
const NOT_NULL_OF_SDK = new Set(['usage', 'description'])

/** A reviver that leaves out what this document wants of a response, and OpenAI's types do not have. */
export function ofSdk(key: string, value: unknown): unknown {
  return NOT_OF_SDK.has(key) || (NOT_NULL_OF_SDK.has(key) && value === null) ? undefined : value
}
