import { CITY, type Client, SCHEMA, takesTools, type Untyped, WEATHER } from './client.ts'
import { clientModule } from './installed.ts'

/** @langchain/openai, by either of OpenAI's APIs. */
export const LANGCHAIN: readonly Client[] = [client('openai-chat'), client('openai-responses')]

function client(dialect: 'openai-chat' | 'openai-responses'): Client {
  const usesResponses = dialect === 'openai-responses'
  return {
    name: `@langchain/openai (${usesResponses ? 'responses' : 'chat'})`,
    dialect,
    family: 'gpt-5',
    // of chat completions it reads no `reasoning_content`, of Responses no `response.failed`
    ways: usesResponses ? { ofFailedStream: null } : { hidesThoughts: true, forgets: () => true },
    async ask({ url, key, model: first, question, stream, image, wants, then, signal, hear }) {
      const { ChatOpenAI } = await clientModule('@langchain/openai')
      const { HumanMessage, ToolMessage } = await clientModule('@langchain/core/messages')
      let model = first
      const chatOf = () =>
        new ChatOpenAI({
          apiKey: key,
          configuration: { baseURL: `${url}/v1` },
          model,
          maxRetries: 0,
          useResponsesApi: usesResponses,
          ...(wants === 'thinking' && { reasoning: { effort: 'low', summary: usesResponses ? 'auto' : undefined } }),
          ...(wants === 'thinking' &&
            usesResponses && { zdrEnabled: true, modelKwargs: { include: ['reasoning.encrypted_content'] } }),
        })
      const content = [
        { type: 'text', text: question },
        ...(image === undefined ? [] : [{ type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } }]),
      ]
      const messages: Untyped[] = [new HumanMessage({ content })]
      if (wants === 'schema') {
        const strict = chatOf().withStructuredOutput(SCHEMA, {
          name: 'weather',
          method: 'jsonSchema',
          strict: true,
          includeRaw: true,
        })
        const { parsed, raw } = await strict.invoke(messages, { signal })
        return { text: JSON.stringify(parsed), thought: '', cities: [], usage: usageOf(raw) }
      }
      const tool = { type: 'function', function: { name: 'get_weather', description: 'of a city', parameters: CITY } }
      const modelOf = () => (takesTools(wants) ? chatOf().bindTools([tool]) : chatOf())
      const cities: string[] = []
      let thought = ''
      for (;;) {
        const message = stream ? await streamed(modelOf()) : await modelOf().invoke(messages, { signal })
        for (const block of message.contentBlocks) if (block.type === 'reasoning') thought += block.reasoning
        const calls: readonly Untyped[] = message.tool_calls
        cities.push(...calls.map(({ args }) => args.city))
        if (calls.length === 0 && then !== undefined && model !== then.model) {
          model = then.model
          messages.push(message, new HumanMessage(then.question))
          continue
        }
        if (calls.length === 0) return { text: message.text, thought, cities, usage: usageOf(message) }
        messages.push(message, ...calls.map(({ id }) => new ToolMessage({ tool_call_id: id, content: WEATHER })))
      }

      async function streamed(asked: Untyped): Promise<Untyped> {
        let whole: Untyped
        for await (const chunk of await asked.stream(messages, { signal })) {
          if (chunk.text !== '') hear?.(chunk.text)
          whole = whole === undefined ? chunk : whole.concat(chunk)
        }
        return whole
      }
    },
  }
}

const usageOf = ({ usage_metadata: usage }: Untyped) =>
  usage === undefined ? null : { input: usage.input_tokens, output: usage.output_tokens }
