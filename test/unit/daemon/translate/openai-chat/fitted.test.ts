import { expect, test } from 'vitest'
import { fitted } from '../../../../../daemon/translate/openai-chat/fitted.ts'
import { PROVIDERS, providerRow } from '../../../../../schemas/words/providers.ts'

const at = (provider: string, request: object) => {
  const { body, dropped } = fitted(Buffer.from(JSON.stringify(request)), provider)
  return { body: JSON.parse(body.toString('utf8')), dropped }
}

const user = { role: 'user', content: 'hi' }

test.each([
  { provider: 'mistral', sent: { seed: 7 }, taken: { random_seed: 7 } },
  { provider: 'mistral', sent: { max_completion_tokens: 9 }, taken: { max_tokens: 9 } },
  {
    provider: 'mistral',
    sent: { max_tokens: 9, max_completion_tokens: 9 },
    taken: { max_tokens: 9 },
    dropped: ['max_completion_tokens'],
  },
  { provider: 'mistral', sent: { tool_choice: 'required' }, taken: { tool_choice: 'required' } },
  { provider: 'mistral', sent: { stream_options: { include_usage: true } }, taken: {} },
  {
    provider: 'mistral',
    sent: { store: false, verbosity: 'low', service_tier: 'auto', safe_prompt: true },
    taken: { safe_prompt: true },
    dropped: ['store', 'verbosity', 'service_tier'],
  },
  { provider: 'cohere', sent: { reasoning_effort: 'medium' }, taken: { reasoning_effort: 'high' } },
  { provider: 'cohere', sent: { reasoning_effort: 'minimal' }, taken: { reasoning_effort: 'none' } },
  { provider: 'cohere', sent: { reasoning_effort: 'none' }, taken: { reasoning_effort: 'none' } },
  { provider: 'cohere', sent: { reasoning_effort: 5 }, taken: { reasoning_effort: 5 } },
  { provider: 'cohere', sent: { store: true, metadata: {} }, taken: {}, dropped: ['store', 'metadata'] },
  { provider: 'groq', sent: { logprobs: true, n: 1 }, taken: { n: 1 }, dropped: ['logprobs'] },
  { provider: 'moonshot', sent: { max_completion_tokens: 9 }, taken: { max_completion_tokens: 9 } },
  { provider: 'xai', sent: { max_completion_tokens: 9 }, taken: { max_completion_tokens: 9 } },
  { provider: 'together', sent: { max_completion_tokens: 9, top_k: 1 }, taken: { max_tokens: 9, top_k: 1 } },
  { provider: 'openai', sent: { seed: 7, store: true }, taken: { seed: 7, store: true } },
])('$provider gets $taken for $sent', ({ provider, sent, taken, dropped = [] }) => {
  const request = { model: 'm', messages: [user] }
  expect(at(provider, { ...request, ...sent })).toEqual({ body: { ...request, ...taken }, dropped })
})

const call = { id: 'c1', type: 'function', function: { name: 'look', arguments: '{"name":1}' } }
/** As OpenAI's SDKs send back what they got. */
const answer = { role: 'assistant', content: null, refusal: null, annotations: [], tool_calls: [call] }

test.each([
  { provider: 'groq', message: { ...user, name: 'Ann' }, taken: user, dropped: ['messages'] },
  { provider: 'groq', message: answer, taken: answer, dropped: [] },
  {
    provider: 'mistral',
    message: answer,
    taken: { role: 'assistant', content: null, tool_calls: [call] },
    dropped: [],
  },
  {
    provider: 'mistral',
    message: { role: 'assistant', content: 'x', reasoning_content: 'hm' },
    taken: { role: 'assistant', content: 'x' },
    dropped: ['messages'],
  },
  {
    provider: 'mistral',
    message: { role: 'developer', content: 'be brief', name: 'Ann' },
    taken: { role: 'system', content: 'be brief' },
    dropped: ['messages'],
  },
  { provider: 'openai', message: { ...user, name: 'Ann' }, taken: { ...user, name: 'Ann' }, dropped: [] },
])('$provider gets the message $taken for $message', ({ provider, message, taken, dropped }) => {
  expect(at(provider, { model: 'm', messages: [message] })).toEqual({
    body: { model: 'm', messages: [taken] },
    dropped,
  })
})

test('a message without such a field stays as it was written', () => {
  const text = '{"model": "m", "messages": [ {"role": "user", "content": "name\\u0022"} ]}'
  expect(fitted(Buffer.from(text), 'groq').body.toString('utf8')).toBe(text)
})

test.each(PROVIDERS.filter((name) => !['custom', 'peer', 'echo'].includes(name)))(
  'what is known of %s names its sources',
  (name) => {
    const { sources } = providerRow(name)
    expect(sources.length).toBeGreaterThan(0)
    for (const url of sources) expect(new URL(url).protocol).toBe('https:')
  },
)
