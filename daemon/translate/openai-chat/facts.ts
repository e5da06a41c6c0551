import { known, MODALITIES, type ModelFacts, type ModelPrice } from '../../../schemas/words/model-facts.ts'
import { type JsonRecord, listIn, recordIn } from '../json-value.ts'

/**
 * What an entry of a model list says besides the id. OpenAI's own says nothing; read are the fields of OpenRouter (which
 * Together, llama.cpp, SGLang and Gate itself write in part), vLLM, LM Studio, Mistral, Groq and Fireworks.
 */
export function readFactsOf(model: JsonRecord): ModelFacts {
  const provider = recordIn(model['top_provider'])
  const architecture = recordIn(model['architecture'])
  const meta = recordIn(model['meta'])
  const capabilities = recordIn(model['capabilities'])
  const parameters = wordsIn(model['supported_parameters'])
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
    input: modalitiesIn(architecture['input_modalities']),
    output: modalitiesIn(architecture['output_modalities']),
    tools:
      parameters?.includes('tools') ??
      booleanIn(capabilities['function_calling']) ??
      booleanIn(model['supports_tools']),
    reasoning: parameters?.includes('reasoning') ?? booleanIn(capabilities['reasoning']),
    price: priceIn(recordIn(model['pricing'])),
  })
}

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

const booleanIn = (value: unknown): boolean | undefined => (typeof value === 'boolean' ? value : undefined)

function priceIn(pricing: JsonRecord): ModelPrice | undefined {
  const [input, output] = [microdollarsIn(pricing['prompt']), microdollarsIn(pricing['completion'])]
  if (input === undefined || output === undefined) return undefined
  const [cacheRead, cacheWrite] = [
    microdollarsIn(pricing['input_cache_read']),
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

function dollarsText(microdollars: number): string {
  return (microdollars / PER_TOKEN).toFixed(12).replace(/\.?0+$/, '')
}
