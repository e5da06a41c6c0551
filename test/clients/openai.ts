import { type Ask, CITY, type Client, SCHEMA, takesTools, type Untyped, WEATHER } from './client.ts'
import { clientModule } from './installed.ts'

/** openai, by its chat completions; a stream by its helper, which puts the pieces together. */
const chat: Client = {
  name: 'openai (chat)',
  dialect: 'openai-chat',
  family: 'gpt-5',
  async ask({ model: first, question, stream, image, wants, then, signal, hear, ...place }) {
    const openai = await clientOf(place)
    const asked = [
      { type: 'text', text: question },
      ...(image === undefined ? [] : [{ type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } }]),
    ]
    const messages: Untyped[] = [{ role: 'user', content: image === undefined ? question : asked }]
    const called: string[] = []
    let thought = ''
    let model = first
    const tool = { type: 'function', function: { name: 'get_weather', parameters: CITY, strict: true } }
    const format = { type: 'json_schema', json_schema: { name: 'weather', schema: SCHEMA, strict: true } }
    for (;;) {
      const body = {
        model,
        messages,
        ...(takesTools(wants) && { tools: [tool] }),
        ...(wants === 'thinking' && { reasoning_effort: 'low' }),
        ...(wants === 'schema' && { response_format: format }),
      }
      const { message, usage } = stream ? await streamed(body) : await whole(body)
      thought += message.reasoning_content ?? ''
      const calls: readonly Untyped[] = message.tool_calls ?? []
      called.push(...calls.map((call) => JSON.parse(call.function.arguments).city))
      if (calls.length === 0 && then !== undefined && model !== then.model) {
        model = then.model
        messages.push(message, { role: 'user', content: then.question })
      } else if (calls.length === 0) {
        const tokens = { input: usage.prompt_tokens, output: usage.completion_tokens }
        return { text: message.content, thought, cities: called, usage: tokens }
      } else messages.push(message, ...calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: WEATHER })))
    }

    async function whole(body: object) {
      const { choices, usage } = await openai.chat.completions.create(body, { signal })
      return { message: choices[0].message, usage }
    }
    async function streamed(body: object) {
      const running = openai.chat.completions.stream({ ...body, stream_options: { include_usage: true } }, { signal })
      let reasoning = ''
      running.on('chunk', ({ choices: [choice] }: Untyped) => {
        reasoning += choice?.delta.reasoning_content ?? ''
      })
      running.on('content', (delta: string) => hear?.(delta))
      const { choices, usage } = await running.finalChatCompletion()
      // the helper knows no fields besides OpenAI's
      return { message: { ...choices[0].message, ...(reasoning !== '' && { reasoning_content: reasoning }) }, usage }
    }
  },
}

/** openai, by its Responses; what it thought comes back encrypted when nothing is to be stored. */
const responses: Client = {
  name: 'openai (responses)',
  dialect: 'openai-responses',
  family: 'gpt-5',
  async ask({ model: first, question, stream, image, wants, then, signal, hear, ...place }) {
    const openai = await clientOf(place)
    const asked = [
      { type: 'input_text', text: question },
      ...(image === undefined
        ? []
        : [{ type: 'input_image', image_url: `data:image/png;base64,${image}`, detail: 'auto' }]),
    ]
    const input: Untyped[] = [{ role: 'user', content: asked }]
    const called: string[] = []
    let thought = ''
    let model = first
    const thinking = {
      store: false,
      include: ['reasoning.encrypted_content'],
      reasoning: { effort: 'low', summary: 'auto' },
    }
    for (;;) {
      const body = {
        model,
        input,
        ...(takesTools(wants) && {
          tools: [{ type: 'function', name: 'get_weather', parameters: CITY, strict: true }],
        }),
        ...(wants === 'thinking' && thinking),
        ...(wants === 'schema' && {
          text: { format: { type: 'json_schema', name: 'weather', schema: SCHEMA, strict: true } },
        }),
      }
      const response = stream ? await streamed(body) : await openai.responses.create(body, { signal })
      if (response.error) throw new Error(response.error.message)
      for (const item of response.output) if (item.type === 'reasoning') thought += item.summary[0]?.text ?? ''
      const calls: readonly Untyped[] = response.output.filter(({ type }: Untyped) => type === 'function_call')
      called.push(...calls.map((call) => JSON.parse(call.arguments).city))
      if (calls.length === 0 && then !== undefined && model !== then.model) {
        model = then.model
        input.push(...response.output, { role: 'user', content: then.question })
        continue
      }
      if (calls.length === 0) {
        const { input_tokens: inputTokens, output_tokens: outputTokens } = response.usage
        return {
          text: response.output_text,
          thought,
          cities: called,
          usage: { input: inputTokens, output: outputTokens },
        }
      }
      const results = calls.map(({ call_id: id }) => ({ type: 'function_call_output', call_id: id, output: WEATHER }))
      input.push(...response.output, ...results)
    }

    function streamed(body: object) {
      const running = openai.responses.stream(body, { signal })
      running.on('response.output_text.delta', ({ delta }: Untyped) => hear?.(delta))
      return running.finalResponse()
    }
  },
}

export const OPENAI: readonly Client[] = [chat, responses]

async function clientOf({ url, key }: Pick<Ask, 'url' | 'key'>): Promise<Untyped> {
  const { OpenAI } = await clientModule('openai')
  return new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 })
}
