import { type Ask, CITY, type Client, SCHEMA, takesTools, type Untyped, type Ways, WEATHER } from './client.ts'
import { clientModule } from './installed.ts'

type Model = {
  readonly model: Untyped
  /** What makes it think, as `providerOptions`. */
  readonly thinking: object
}

type ModelFor = (place: Pick<Ask, 'url' | 'key' | 'model'>) => Promise<Model>

const STORES_NOTHING = { store: false, forceReasoning: true, reasoningEffort: 'low', reasoningSummary: 'auto' }

const HIDDEN: Ways = { hidesThoughts: true, forgets: () => true }

/** The models of the AI SDK's providers: each with the settings that its documentation says. */
export const AI_SDK: readonly Client[] = [
  client('ai + @ai-sdk/openai (responses)', 'openai-responses', 'gpt-5', {}, async ({ url, key, model }) => {
    const { createOpenAI } = await clientModule('@ai-sdk/openai')
    const provider = createOpenAI({ apiKey: key, baseURL: `${url}/v1` })
    return { model: provider(model), thinking: { openai: STORES_NOTHING } }
  }),
  // its chat is for OpenAI alone, where nothing of a thought is shown
  client('ai + @ai-sdk/openai (chat)', 'openai-chat', 'gpt-5', HIDDEN, async ({ url, key, model }) => {
    const { createOpenAI } = await clientModule('@ai-sdk/openai')
    const provider = createOpenAI({ apiKey: key, baseURL: `${url}/v1` })
    return { model: provider.chat(model), thinking: { openai: { forceReasoning: true, reasoningEffort: 'low' } } }
  }),
  client('ai + @ai-sdk/openai-compatible', 'openai-chat', 'qwen3', {}, async ({ url, key, model }) => {
    const { createOpenAICompatible } = await clientModule('@ai-sdk/openai-compatible')
    const options = { name: 'gate', apiKey: key, baseURL: `${url}/v1`, includeUsage: true }
    const provider = createOpenAICompatible({ ...options, supportsStructuredOutputs: true })
    return { model: provider(model), thinking: { gate: { reasoningEffort: 'low' } } }
  }),
  client('ai + @ai-sdk/anthropic', 'anthropic', 'claude-sonnet-4-5', {}, async ({ url, key, model }) => {
    const { createAnthropic } = await clientModule('@ai-sdk/anthropic')
    const provider = createAnthropic({ apiKey: key, baseURL: `${url}/v1` })
    const thinking = { type: 'enabled', budgetTokens: 1_024 }
    return { model: provider(model), thinking: { anthropic: { thinking } } }
  }),
  client('ai + @ai-sdk/google', 'google', 'gemini-3-pro', {}, async ({ url, key, model }) => {
    const { createGoogle } = await clientModule('@ai-sdk/google')
    const provider = createGoogle({ apiKey: key, baseURL: `${url}/v1beta` })
    return { model: provider(model), thinking: { google: { thinkingConfig: { includeThoughts: true } } } }
  }),
]

function client(
  name: string,
  dialect: Client['dialect'],
  family: Client['family'],
  ways: Ways,
  modelFor: ModelFor,
): Client {
  return { name, dialect, family, ways, ask: (ask) => askOf(ask, modelFor) }
}

/** The SDK itself runs the tools, and goes on until the model calls none. */
async function askOf({ question, stream, image, wants, then, signal, hear, ...place }: Ask, modelFor: ModelFor) {
  const { generateText, streamText, isStepCount, jsonSchema, Output } = await clientModule('ai')
  const cities: string[] = []
  const weather = {
    inputSchema: jsonSchema(CITY),
    execute({ city }: { readonly city: string }) {
      cities.push(city)
      return WEATHER
    },
  }
  const content = [
    { type: 'text', text: question },
    ...(image === undefined ? [] : [{ type: 'file', data: image, mediaType: 'image/png' }]),
  ]
  const first = await answerOf(place.model, [{ role: 'user', content }])
  if (then === undefined) return first.answer
  const later = await answerOf(then.model, [...first.messages, { role: 'user', content: then.question }])
  return { ...later.answer, thought: first.answer.thought + later.answer.thought }

  async function answerOf(id: string, messages: readonly Untyped[]) {
    const { model, thinking } = await modelFor({ ...place, model: id })
    const asked = {
      model,
      messages,
      maxRetries: 0,
      abortSignal: signal,
      stopWhen: isStepCount(3),
      ...(takesTools(wants) && { tools: { get_weather: weather } }),
      ...(wants === 'thinking' && { providerOptions: thinking }),
      ...(wants === 'schema' && { output: Output.object({ schema: jsonSchema(SCHEMA) }) }),
    }
    const running = stream ? streamText({ ...asked, onError: () => {} }) : await generateText(asked)
    if (stream) {
      for await (const part of running.fullStream) {
        if (part.type === 'error') throw part.error
        if (part.type === 'text-delta') hear?.(part.text)
      }
    }
    const steps: readonly Untyped[] = await running.steps
    const last = steps.at(-1)
    const answer = {
      text: wants === 'schema' ? JSON.stringify(await running.output) : last.text,
      thought: steps.map(({ reasoningText = '' }) => reasoningText).join(''),
      cities,
      usage: { input: last.usage.inputTokens, output: last.usage.outputTokens },
    }
    return { answer, messages: [...messages, ...(await running.responseMessages)] }
  }
}
