import { known, type ModelFacts } from '../../../schemas/words/model-facts.ts'
import type { Call, ModelEntry } from '../call.ts'
import { booleanIn, isRecord, type JsonRecord, listIn, numberIn, recordsIn } from '../json-value.ts'

/** As many as a client gets that does not ask for more or fewer, and at most; Google's own limits. */
const USUAL = 50
const MOST = 1_000

const NAME = 'models/'

/** What a model does, in Google's list. */
const GENERATES = 'generateContent'
const EMBEDS = 'embedContent'

/** GET /v1beta/models: `pageSize` is honoured; a page begins after the model that its token names. */
export function listModels(models: readonly ModelEntry[], { url }: Call): object {
  const query = new URLSearchParams(url.slice(url.indexOf('?') + 1))
  const after = models.findIndex(({ id }) => id === query.get('pageToken')) + 1
  const size = Math.min(Math.max(Number(query.get('pageSize')) || USUAL, 1), MOST)
  const page = models.slice(after, after + size)
  const last = page.at(-1)
  return {
    models: page.map(showModel),
    ...(last !== undefined && after + size < models.length && { nextPageToken: last.id }),
  }
}

/** GET /v1beta/models/ID. */
export function showModel({ id, facts: { contextTokens, outputTokens, output, reasoning } = {} }: ModelEntry): object {
  return {
    name: `${NAME}${id}`,
    version: '',
    displayName: id,
    supportedGenerationMethods: [output?.includes('embeddings') === true ? EMBEDS : GENERATES, 'countTokens'],
    ...(contextTokens !== undefined && { inputTokenLimit: contextTokens }),
    ...(outputTokens !== undefined && { outputTokenLimit: outputTokens }),
    ...(reasoning !== undefined && { thinking: reasoning }),
  }
}

/** The ids in an upstream's list, of models that generate or embed. @throws Error when it has another shape */
export function readModels(list: unknown): readonly string[] {
  return [...readFacts(list).keys()]
}

/** What the list says of them, by id. @throws Error when it has another shape */
export function readFacts(list: unknown): ReadonlyMap<string, ModelFacts> {
  const models = isRecord(list) ? (list['models'] ?? (Object.keys(list).length === 0 ? [] : null)) : null
  if (!Array.isArray(models)) throw new Error('the model list does not have the shape that Google uses')
  return new Map(
    recordsIn(models).flatMap((model) => {
      const { name, supportedGenerationMethods: methods } = model
      if (typeof name !== 'string' || name === '') return []
      const does = listIn(methods)
      if (Array.isArray(methods) && !does.includes(GENERATES) && !does.includes(EMBEDS)) return []
      return [[name.startsWith(NAME) ? name.slice(NAME.length) : name, factsIn(model)]]
    }),
  )
}

function factsIn(model: JsonRecord): ModelFacts {
  return known({
    contextTokens: numberIn(model['inputTokenLimit']) ?? undefined,
    outputTokens: numberIn(model['outputTokenLimit']) ?? undefined,
    ...(isEmbedder(listIn(model['supportedGenerationMethods'])) && { output: ['embeddings'] }),
    reasoning: booleanIn(model['thinking']) ?? undefined,
  })
}

const isEmbedder = (does: readonly unknown[]): boolean => does.includes(EMBEDS) && !does.includes(GENERATES)
