import { problemsOf } from '../wire/schemas.ts'
import { STREAM_HEADERS, sendJson, type startFakeUpstream } from './fake-upstream.ts'

type Behaviour = Parameters<typeof startFakeUpstream>[0]

/**
 * An upstream that speaks chat completions and refuses what the SDK's types do not allow: asked for anything, it calls a
 * tool for the weather of two cities; told that, it answers. What the last message says makes it fail.
 */
export const weatherAnswer: Behaviour = ({ body, path }, response) => {
  const asked = JSON.parse(body)
  if (path.endsWith('/embeddings')) {
    const data = asked.input.map((_: string, index: number) => ({
      object: 'embedding',
      index,
      embedding: [index, 0.5],
    }))
    return sendJson(response, 200, {
      object: 'list',
      data,
      model: asked.model,
      usage: { prompt_tokens: 6, total_tokens: 6 },
    })
  }
  if (!path.endsWith('/chat/completions')) return sendJson(response, 404, { error: { message: 'no such route' } })
  const problems = [...problemsOf('openai:ChatCompletionCreateParams', asked), ...unanswered(asked.messages)]
  if (problems.length > 0) return sendJson(response, 400, { error: { message: problems.join('; ') } })
  const said = JSON.stringify(asked.messages.at(-1).content)
  if (said.includes('too often'))
    return sendJson(response, 429, { error: { message: 'slower' } }, { 'retry-after': '7' })
  if (said.includes('broken')) return sendJson(response, 500, { error: { message: 'no memory' } })
  const isAnswered = asked.messages.some(({ role }: { role: string }) => role === 'tool')
  if (asked.stream !== true) return sendJson(response, 200, completion(isAnswered))
  response.writeHead(200, STREAM_HEADERS)
  response.write(chunk({ role: 'assistant', content: '' }))
  for (const delta of isAnswered ? [{ content: '4 ' }, { content: 'and 19' }] : DELTAS) response.write(chunk(delta))
  if (said.includes('for ever')) return // until the client goes away
  if (said.includes('fails later')) return void response.end('data: {"error":{"message":"out of memory"}}\n\n')
  response.end(`${chunk({}, 'stop')}${chunk({}, null, { choices: [], usage: USAGE })}data: [DONE]\n\n`)
}

/** As OpenAI refuses them: calls that the very next messages do not answer. */
function unanswered(
  messages: readonly { readonly tool_calls?: readonly { readonly id: string }[]; readonly tool_call_id?: string }[],
) {
  return messages.flatMap(({ tool_calls: calls = [] }, at) => {
    const answers = messages.slice(at + 1, at + 1 + calls.length).map(({ tool_call_id: id }) => id)
    return calls.filter(({ id }) => !answers.includes(id)).map(({ id }) => `call ${id} is not answered`)
  })
}

const USAGE = { prompt_tokens: 21, completion_tokens: 9, total_tokens: 30 }
const call = (id: string, city: string) => ({
  id,
  type: 'function',
  function: { name: 'get_weather', arguments: JSON.stringify({ city }) },
})
const DELTAS = [
  { reasoning_content: 'Hm.' },
  { content: 'I look.' },
  { tool_calls: [{ index: 0, ...call('a', 'Oslo') }] },
  { tool_calls: [{ index: 1, ...call('b', 'Rome') }] },
]

function completion(isAnswered: boolean): object {
  const message = isAnswered
    ? { content: '4 and 19' }
    : { content: 'I look.', reasoning_content: 'Hm.', tool_calls: [call('a', 'Oslo'), call('b', 'Rome')] }
  const choice = { index: 0, message: { role: 'assistant', refusal: null, ...message }, finish_reason: 'stop' }
  return { id: 'c1', object: 'chat.completion', created: 1, model: 'gpt', choices: [choice], usage: USAGE }
}

function chunk(delta: object, reason: string | null = null, rest: object = {}): string {
  const choices = [{ index: 0, delta, finish_reason: reason }]
  return `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'gpt', choices, ...rest })}\n\n`
}
