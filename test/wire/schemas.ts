import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'

/** What the official SDKs' types say a body or an event looks like. */
export type Shape =
  | `openai:${
      | 'ChatCompletionCreateParams'
      | 'ChatCompletion'
      | 'ChatCompletionChunk'
      | 'Model'
      | 'ResponseCreateParams'
      | 'Response'
      | 'ResponseStreamEvent'
      | 'ResponseItemList'
      | 'ResponseCompactParams'
      | 'CompactedResponse'
      | 'InputTokenCountParams'
      | 'InputTokenCountResponse'}`
  | `anthropic:${
      | 'MessageCreateParams'
      | 'Message'
      | 'RawMessageStreamEvent'
      | 'MessageCountTokensParams'
      | 'MessageTokensCount'
      | 'ModelInfo'
      | 'ErrorResponse'}`
  | `google:${
      | 'GenerateContentRequest'
      | 'GenerateContentResponse'
      | 'CountTokensRequest'
      | 'CountTokensResponse'
      | 'Model'
      | 'ListModelsResponse'
      | 'ErrorResponse'}`
  | `ollama:${
      | 'ChatRequest'
      | 'ChatResponse'
      | 'GenerateRequest'
      | 'GenerateResponse'
      | 'EmbedRequest'
      | 'EmbedResponse'
      | 'EmbeddingsRequest'
      | 'EmbeddingsResponse'
      | 'ShowRequest'
      | 'ShowResponse'
      | 'ListResponse'
      | 'RunningResponse'
      | 'VersionResponse'
      | 'ErrorResponse'}`

const ROOTS: Readonly<Record<string, string>> = {
  openai: 'OpenAi',
  anthropic: 'Anthropic',
  google: 'Google',
  ollama: 'Ollama',
}

type Schema = Readonly<Record<string, unknown>>
type Definitions = Readonly<Record<string, Schema>>

const definitionsOf: Record<string, Definitions> = {}
// compiling is what takes long: only what is asked for, and as it is
const ajv = new Ajv({
  strict: false,
  allErrors: true,
  validateSchema: false,
  inlineRefs: false,
  code: { optimize: false },
})
for (const sdk of Object.keys(ROOTS)) {
  const { definitions } = JSON.parse(readFileSync(join(import.meta.dirname, 'schemas', `${sdk}.json`), 'utf8'))
  definitionsOf[sdk] = definitions
  ajv.addSchema({ definitions }, sdk)
}
const compiled = new Map<string, ValidateFunction>()

/** What is wrong with a value, unknown fields included; empty when nothing is. */
export function problemsOf(shape: Shape, value: unknown): readonly string[] {
  const [sdk = '', name = ''] = shape.split(':')
  const whole = `#/definitions/${ROOTS[sdk]}/properties/${name}`
  const validate = compiledAt(`${sdk}${branchOf(definitionsOf[sdk] ?? {}, name, value) ?? whole}`)
  if (validate(value)) return []
  // each branch of a union says why it does not fit: what is deepest in the value is most likely what is wrong, and a
  // branch of another type least of all
  const isOtherType = ({ keyword, instancePath }: ErrorObject) => keyword === 'const' && instancePath.endsWith('/type')
  const depth = (error: ErrorObject) => (isOtherType(error) ? 0 : error.instancePath.split('/').length)
  return (validate.errors ?? [])
    .toSorted((a, b) => depth(b) - depth(a))
    .slice(0, 12)
    .map(({ instancePath, message, params }) => `${shape} ${instancePath} ${message} ${JSON.stringify(params)}`)
}

function compiledAt(place: string): ValidateFunction {
  const validate = compiled.get(place) ?? ajv.compile({ $ref: place })
  compiled.set(place, validate)
  return validate
}

/** The one branch of a union that has the value's type. */
function branchOf(definitions: Definitions, name: string, value: unknown): string | undefined {
  const branches = definitions[name]?.['anyOf']
  if (!Array.isArray(branches) || value === null || typeof value !== 'object' || !('type' in value)) return undefined
  const refs = (branches as readonly { readonly $ref?: string }[]).flatMap(({ $ref }) => $ref ?? [])
  return refs.find((ref) => {
    const properties = definitions[decodeURIComponent(ref.slice('#/definitions/'.length))]?.['properties']
    const { type } = (properties ?? {}) as { readonly type?: { readonly const?: unknown } }
    return type?.const === value.type
  })
}
