import { CITY, type Client, SCHEMA, takesTools, type Untyped, WEATHER } from './client.ts'
import { clientModule } from './installed.ts'

const chat: Client = {
  name: 'ollama',
  dialect: 'ollama',
  family: 'qwen3',
  ways: { hidesRetryAfter: true },
  async ask({ url, key, model: first, question, stream, image, wants, then, signal, hear }) {
    const { Ollama } = await clientModule('ollama')
    const ollama = new Ollama({ host: url, headers: { authorization: `Bearer ${key}` } })
    signal?.addEventListener('abort', () => ollama.abort())
    const messages: Untyped[] = [{ role: 'user', content: question, ...(image !== undefined && { images: [image] }) }]
    const cities: string[] = []
    let thought = ''
    let model = first
    const tool = { type: 'function', function: { name: 'get_weather', description: 'of a city', parameters: CITY } }
    for (;;) {
      const asked = {
        model,
        messages,
        stream,
        ...(takesTools(wants) && { tools: [tool] }),
        ...(wants === 'thinking' && { think: true }),
        ...(wants === 'schema' && { format: SCHEMA }),
      }
      const message: Untyped = { role: 'assistant', content: '', thinking: '', tool_calls: [] }
      let last: Untyped
      const answer = await ollama.chat(asked)
      for await (const part of stream ? answer : [answer]) {
        const { content, thinking = '', tool_calls: calls = [] } = part.message
        message.content += content
        message.thinking += thinking
        message.tool_calls.push(...calls)
        if (content !== '') hear?.(content)
        last = part
      }
      thought += message.thinking
      cities.push(...message.tool_calls.map((call: Untyped) => call.function.arguments.city))
      if (message.tool_calls.length === 0 && then !== undefined && model !== then.model) {
        model = then.model
        messages.push(message, { role: 'user', content: then.question })
        continue
      }
      if (message.tool_calls.length === 0) {
        const usage = { input: last.prompt_eval_count, output: last.eval_count }
        return { text: message.content, thought, cities, usage }
      }
      const result = { role: 'tool', tool_name: 'get_weather', content: WEATHER }
      messages.push(message, ...message.tool_calls.map(() => result))
    }
  },
}

export const OLLAMA: readonly Client[] = [chat]
