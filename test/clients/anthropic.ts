import { CITY, type Client, SCHEMA, takesTools, type Untyped, WEATHER } from './client.ts'
import { clientModule } from './installed.ts'

/** @anthropic-ai/sdk; a stream by its helper, which puts the pieces together. */
const messages: Client = {
  name: '@anthropic-ai/sdk',
  dialect: 'anthropic',
  family: 'claude-sonnet-4-5',
  async ask({ url, key, model: first, question, stream, image, wants, then, signal, hear }) {
    const { Anthropic } = await clientModule('@anthropic-ai/sdk')
    const claude = new Anthropic({ authToken: key, apiKey: null, baseURL: url, maxRetries: 0 })
    const source = { type: 'base64', media_type: 'image/png', data: image }
    const asked = [...(image === undefined ? [] : [{ type: 'image', source }]), { type: 'text', text: question }]
    const turns: Untyped[] = [{ role: 'user', content: asked }]
    const cities: string[] = []
    let thought = ''
    let model = first
    for (;;) {
      const body = {
        model,
        max_tokens: 4_096,
        messages: turns,
        ...(takesTools(wants) && { tools: [{ name: 'get_weather', input_schema: CITY }] }),
        ...(wants === 'thinking' && { thinking: { type: 'enabled', budget_tokens: 1_024 } }),
        ...(wants === 'schema' && { output_config: { format: { type: 'json_schema', schema: SCHEMA } } }),
      }
      const { content, usage } = stream ? await streamed(body) : await claude.messages.create(body, { signal })
      for (const block of content) if (block.type === 'thinking') thought += block.thinking
      const calls: readonly Untyped[] = content.filter(({ type }: Untyped) => type === 'tool_use')
      cities.push(...calls.map((call) => call.input.city))
      if (calls.length === 0 && then !== undefined && model !== then.model) {
        model = then.model
        turns.push({ role: 'assistant', content }, { role: 'user', content: then.question })
        continue
      }
      if (calls.length === 0) {
        const text = content.map((block: Untyped) => (block.type === 'text' ? block.text : '')).join('')
        return { text, thought, cities, usage: { input: usage.input_tokens, output: usage.output_tokens } }
      }
      const results = calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: WEATHER }))
      turns.push({ role: 'assistant', content }, { role: 'user', content: results })
    }

    function streamed(body: object) {
      const running = claude.messages.stream(body, { signal })
      running.on('text', (text: string) => hear?.(text))
      return running.finalMessage()
    }
  },
}

export const ANTHROPIC: readonly Client[] = [messages]
