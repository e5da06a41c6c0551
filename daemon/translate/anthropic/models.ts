import { known, type ModelFacts } from '../../../schemas/words/model-facts.ts'
import type { Call, ModelEntry } from '../call.ts'
import { booleanIn, isRecord, type JsonRecord, numberIn, recordIn, recordsIn } from '../json-value.ts'

/** When a model was made is not known here: it has been there since this process began. */
const SINCE = new Date(Math.floor(performance.timeOrigin)).toISOString()

/** As many as a client gets that does not ask for more or fewer; Anthropic's own limit. */
const MOST = 1_000

/** GET /v1/models. `limit` is honoured; pages begin after `after_id`. */
export function listModels(models: readonly ModelEntry[], { url }: Call): object {
  const query = new URLSearchParams(url.slice(url.indexOf('?') + 1))
  const after = models.findIndex(({ id }) => id === query.get('after_id')) + 1
  const limit = Math.min(Math.max(Number(query.get('limit')) || MOST, 1), MOST)
  const page = models.slice(after, after + limit).map(showModel)
  return {
    data: page,
    has_more: after + limit < models.length,
    first_id: models[after]?.id ?? null,
    last_id: models[after + page.length - 1]?.id ?? null,
  }
}

/** GET /v1/models/ID. */
export function showModel({ id, facts }: ModelEntry): object {
  return {
    type: 'model',
    id,
    display_name: id,
    created_at: SINCE,
    capabilities: null,
    deprecated_at: null,
    lifecycle: 'active',
    line: null,
    max_input_tokens: facts?.contextTokens ?? null,
    max_tokens: facts?.outputTokens ?? null,
    retires_at: null,
  }
}

/** The ids in an upstream's list. @throws Error when it has another shape */
export function readModels(list: unknown): readonly string[] {
  const ids = entriesIn(list).map((model: unknown) => (isRecord(model) ? model['id'] : null))
  return ids.filter((id): id is string => typeof id === 'string' && id !== '')
}

/** What the list says of the models, by id. */
export function readFacts(list: unknown): ReadonlyMap<string, ModelFacts> {
  return new Map(recordsIn(entriesIn(list)).map((model) => [String(model['id']), factsIn(model)]))
}

function factsIn(model: JsonRecord): ModelFacts {
  const [contextTokens, outputTokens] = [numberIn(model['max_input_tokens']), numberIn(model['max_tokens'])]
  const capabilities = recordIn(model['capabilities'])
  const can = (name: string) => booleanIn(recordIn(capabilities[name])['supported']) ?? undefined
  const [image, file] = [can('image_input'), can('pdf_input')]
  return known({
    contextTokens: contextTokens ?? undefined,
    outputTokens: outputTokens ?? undefined,
    input:
      image === undefined
        ? undefined
        : ['text', ...(image ? (['image'] as const) : []), ...(file ? (['file'] as const) : [])],
    reasoning: can('thinking'),
  })
}

/** @throws Error when it has another shape */
function entriesIn(list: unknown): readonly unknown[] {
  const data = isRecord(list) ? list['data'] : null
  if (!Array.isArray(data)) throw new Error('the model list does not have the shape that Anthropic uses')
  return data
}
