import { known, MODALITIES, type ModelFacts, type ModelPrice } from '../../../schemas/words/model-facts.ts'
import { type JsonRecord, listIn, recordIn } from '../json-value.ts'

/**
 * What an entry of a model list says besides the id. OpenAI's own says nothing; read are the fields of OpenRouter (which
 * llama.cpp, SGLang and Gate itself write in part), vLLM, LM Studio, Mistral, Groq, Together, Fireworks, Moonshot and
 * Cohere.
 */
export function readFactsOf(model: JsonRecord): ModelFacts {
  const provider = recordIn(model['top_provider'])
  const architecture = recordIn(model['architecture'])
  const meta = recordIn(model['meta'])
  const parameters = wordsIn(model['supported_parameters'])
  const able = abilitiesIn(model)
  return known({
    contextTokens: firstCount(
      meta['n_ctx'], // llama.cpp: of one slot
      model['loaded_context_length'],
      provider['context_length'],
      model['context_length'],
      model['max_model_len'],
      model['max_context_length'],
      model['context_window'],
      meta['n_ctx_train'], // the most that the model was made for, as its GGUF header says
    ),
    outputTokens: firstCount(provider['max_completion_tokens'], model['max_completion_tokens']),
    input: modalitiesIn(architecture['input_modalities']) ?? able.input,
    output: modalitiesIn(architecture['output_modalities']),
    tools: parameters?.includes('tools') ?? able.tools,
    reasoning: parameters?.includes('reasoning') ?? able.reasoning,
    price: priceIn(recordIn(model['pricing'])),
  })
}

/** What a model can do, in the words of those that say so of each thing. */
function abilitiesIn(model: JsonRecord): Pick<ModelFacts, 'input' | 'tools' | 'reasoning'> {
  const capabilities = recordIn(model['capabilities']) // Mistral
  const features = wordsIn(model['features']) // Cohere
  const can = (...said: readonly unknown[]) => said.find((one): one is boolean => typeof one === 'boolean')
  const images = can(
    capabilities['vision'],
    model['supports_image_in'], // Moonshot
    model['supports_image_input'], // Fireworks
    features?.includes('vision'),
    LM_STUDIO_IMAGES.get(model['type']),
  )
  const audio = can(capabilities['audio'])
  const video = can(model['supports_video_in'])
  const others = MODALITIES.filter(
    (one) => (one === 'image' && images) || (one === 'audio' && audio) || (one === 'video' && video),
  )
  return known({
    input: images === undefined ? undefined : ['text', ...others],
    tools: can(
      capabilities['function_calling'],
      model['supports_tools'],
      features?.includes('tools'),
      wordsIn(model['capabilities'])?.includes('tool_use'), // LM Studio
    ),
    reasoning: can(capabilities['reasoning'], model['supports_reasoning']),
  })
}

const LM_STUDIO_IMAGES: ReadonlyMap<unknown, boolean> = new Map([
  ['llm', false],
  ['vlm', true],
])

/** The same in the fields of OpenRouter, which many clients know, and vLLM's for the context. */
export function writeFacts({
  contextTokens,
  outputTokens,
  input,
  output,
  tools,
  reasoning,
  price,
}: ModelFacts): object {
  const abilities = [...(tools === true ? ['tools', 'tool_choice'] : []), ...(reasoning === true ? ['reasoning'] : [])]
  const top = { context_length: contextTokens, max_completion_tokens: outputTokens }
  const architecture = { input_modalities: input, output_modalities: output }
  return {
    ...(contextTokens !== undefined && { context_length: contextTokens, max_model_len: contextTokens }),
    ...((contextTokens ?? outputTokens) !== undefined && { top_provider: top }),
    ...((input ?? output) !== undefined && { architecture }),
    ...((tools ?? reasoning) !== undefined && { supported_parameters: abilities }),
    ...(price !== undefined && {
      pricing: {
        prompt: dollarsText(price.input),
        completion: dollarsText(price.output),
        ...(price.cacheRead !== undefined && { input_cache_read: dollarsText(price.cacheRead) }),
        ...(price.cacheWrite !== undefined && { input_cache_write: dollarsText(price.cacheWrite) }),
      },
    }),
  }
}

function firstCount(...values: readonly unknown[]): number | undefined {
  return values.find((value): value is number => Number.isSafeInteger(value) && Number(value) > 0)
}

function wordsIn(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : undefined
}

function modalitiesIn(value: unknown): ModelFacts['input'] {
  const named = MODALITIES.filter((one) => listIn(value).includes(one))
  return named.length > 0 ? named : undefined
}

function priceIn(pricing: JsonRecord): ModelPrice | undefined {
  const [input, output] = [
    microdollarsIn(pricing['prompt']) ?? ofMillion(pricing['input']),
    microdollarsIn(pricing['completion']) ?? ofMillion(pricing['output']),
  ]
  if (input === undefined || output === undefined) return undefined
  const [cacheRead, cacheWrite] = [
    microdollarsIn(pricing['input_cache_read']) ?? ofMillion(pricing['cached_input']),
    microdollarsIn(pricing['input_cache_write']),
  ]
  return {
    input,
    output,
    ...(cacheRead !== undefined && { cacheRead }),
    ...(cacheWrite !== undefined && { cacheWrite }),
  }
}

/** A million tokens at a price in dollars a token, in micro-dollars. */
const PER_TOKEN = 1e12

/** Dollars a token, as text. */
function microdollarsIn(value: unknown): number | undefined {
  const perToken = typeof value === 'string' && value !== '' ? Number(value) : Number.NaN
  return perToken >= 0 && perToken < 1 ? Math.round(perToken * PER_TOKEN) : undefined
}

/** Dollars a million tokens, as Together says it; what is rented by the hour says 0. */
function ofMillion(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 && value < 1e6 ? Math.round(value * 1e6) : undefined
}

function dollarsText(microdollars: number): string {
  return (microdollars / PER_TOKEN).toFixed(12).replace(/\.?0+$/, '')
}
