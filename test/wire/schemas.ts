import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'

/** What the official SDKs' types say a body or an event looks like. */
export type Shape =
  | `openai:${'ChatCompletionCreateParams' | 'ChatCompletion' | 'ChatCompletionChunk' | 'Model'}`
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

const ajv = new Ajv({ strict: false, allErrors: true })
for (const sdk of Object.keys(ROOTS)) {
  ajv.addSchema(JSON.parse(readFileSync(join(import.meta.dirname, 'schemas', `${sdk}.json`), 'utf8')), sdk)
}
const compiled = new Map<Shape, ValidateFunction>()

/** What is wrong with a value, unknown fields included; empty when nothing is. */
export function problemsOf(shape: Shape, value: unknown): readonly string[] {
  let validate = compiled.get(shape)
  if (validate === undefined) {
    const [sdk = '', name = ''] = shape.split(':')
    validate = ajv.compile({ $ref: `${sdk}#/definitions/${ROOTS[sdk]}/properties/${name}` })
    compiled.set(shape, validate)
  }
  if (validate(value)) return []
  // each branch of a union says why it does not fit; what is deepest in the value is most likely what is wrong
  const problems = (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${shape} ${instancePath} ${message} ${JSON.stringify(params)}`,
  )
  return problems.toSorted((a, b) => b.split('/').length - a.split('/').length).slice(0, 12)
}
