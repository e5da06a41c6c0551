import { CITY, type Client, SCHEMA, takesTools, type Untyped, type Ways, WEATHER } from './client.ts'
import { clientModule } from './installed.ts'

const OF_RESPONSES: Ways = { ofFailedStream: 'unsuccessful terminal state "response.failed"' }
/** It reads no `reasoning_content`, and what else a call has when it is no stream. */
const OF_CHAT: Ways = {
  hidesThoughts: true,
  forgets: (upstream, stream) => stream || upstream === 'openai-chat' || upstream === 'ollama',
}

/** @openai/agents, by either of OpenAI's APIs. */
export const AGENTS: readonly Client[] = [client('openai-responses'), client('openai-chat')]

function client(dialect: 'openai-chat' | 'openai-responses'): Client {
  const usesResponses = dialect === 'openai-responses'
  return {
    name: `@openai/agents (${usesResponses ? 'responses' : 'chat'})`,
    dialect,
    family: 'gpt-5',
    ways: usesResponses ? OF_RESPONSES : OF_CHAT,
    async ask({ url, key, model: first, question, stream, image, wants, then, signal, hear }) {
      const { Agent, OpenAIProvider, Runner, tool } = await clientModule('@openai/agents')
      const { OpenAI } = await clientModule('openai')
      const openAIClient = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 })
      const modelProvider = new OpenAIProvider({ openAIClient, useResponses: usesResponses })
      const cities: string[] = []
      const weather = tool({
        name: 'get_weather',
        description: 'of a city',
        parameters: CITY,
        execute({ city }: { readonly city: string }) {
          cities.push(city)
          return WEATHER
        },
      })
      const thinking = {
        store: false,
        reasoning: { effort: 'low', summary: 'auto' },
        providerData: { include: ['reasoning.encrypted_content'] },
      }
      const agentOf = (model: string) =>
        new Agent({
          name: 'weather',
          instructions: 'Be brief.',
          model,
          tools: takesTools(wants) ? [weather] : [],
          ...(wants === 'thinking' && {
            modelSettings: usesResponses ? thinking : { reasoning: { effort: 'low' } },
          }),
          ...(wants === 'schema' && {
            outputType: { type: 'json_schema', name: 'weather', strict: true, schema: SCHEMA },
          }),
        })
      const content = [
        { type: 'input_text', text: question },
        ...(image === undefined ? [] : [{ type: 'input_image', image: `data:image/png;base64,${image}` }]),
      ]
      const runner = new Runner({ modelProvider, tracingDisabled: true })
      const answerOf = async (model: string, history: readonly Untyped[]) => {
        const run = await runner.run(agentOf(model), history, { stream, signal })
        if (!stream) return run
        for await (const text of run.toTextStream()) hear?.(text)
        await run.completed
        return run
      }
      const before = await answerOf(first, [{ role: 'user', content }])
      const run =
        then === undefined
          ? before
          : await answerOf(then.model, [...before.history, { role: 'user', content: then.question }])
      const last = run.rawResponses.at(-1)
      const text = typeof run.finalOutput === 'string' ? run.finalOutput : JSON.stringify(run.finalOutput)
      const usage = { input: last.usage.inputTokens, output: last.usage.outputTokens }
      const items = then === undefined ? run.newItems : [...before.newItems, ...run.newItems]
      return { text, thought: items.map(thoughtOf).join(''), cities, usage }
    },
  }
}

function thoughtOf({ type, rawItem }: Untyped): string {
  if (type !== 'reasoning_item') return ''
  return [...(rawItem.content ?? []), ...(rawItem.rawContent ?? [])].map(({ text }) => text).join('')
}
