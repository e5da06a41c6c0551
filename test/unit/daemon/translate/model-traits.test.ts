import { expect, test } from 'vitest'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'
import { fieldsDropped } from '../../../../daemon/translate/features.ts'
import type { NeutralRequest } from '../../../../daemon/translate/neutral.ts'

const neutralOf = (name: string) => {
  const neutral = DIALECTS.all.find((dialect) => dialect.name === name)?.neutral
  if (neutral === undefined) throw new RangeError(name)
  return neutral
}
const google = neutralOf('google')
const endpoint = DIALECTS.all.find(({ name }) => name === 'google')?.endpoints[0]

/** What a client of Google's asks for, as it goes to a model, and the fields that are said to be dropped. */
function asked(api: 'openai-chat' | 'openai-responses', model: string, config: object, provider = 'openai') {
  if (endpoint === undefined) throw new RangeError('google')
  const body = { contents: [{ parts: [{ text: 'hi' }] }], generationConfig: config }
  const call = { endpoint, param: 'm', url: endpoint.path, headers: {}, body: Buffer.from(JSON.stringify(body)) }
  const request: NeutralRequest = google.readRequest(call)
  const to = neutralOf(api)
  const sent = to.writeRequest(request, { model, provider }) as Readonly<Record<string, unknown>>
  const named = (word: string) => word.replace('generationConfig.', '')
  const dropped = fieldsDropped(request, google.features(provider), to.features(provider), model).map(named)
  return { sent, dropped }
}

const SAMPLING = { temperature: 0, topP: 0.9, presencePenalty: 1, stopSequences: ['x'], responseLogprobs: true }
const SENT = ['temperature', 'top_p', 'presence_penalty', 'stop', 'logprobs']

test.each([
  { model: 'gpt-4o', effort: undefined, takes: true },
  { model: 'gpt-4.1-mini-2025-04-14', effort: undefined, takes: true },
  { model: 'gpt-5-chat-latest', effort: undefined, takes: true },
  { model: 'gpt-5.1', effort: undefined, takes: true },
  { model: 'gpt-5.2-2025-12-11', effort: undefined, takes: true },
  { model: 'my-deployment', effort: 'HIGH', takes: true },
  { model: 'gpt-35-turbo', effort: undefined, takes: true },
  { model: 'ft:gpt-4o-mini:acme::abc', effort: undefined, takes: true },
  { model: 'ft:o4-mini:acme::abc', effort: undefined, takes: false },
  { model: 'gpt-5-chatbot', effort: undefined, takes: false },
  { model: 'gpt-5.10', effort: undefined, takes: false },
  { model: 'gpt-10', effort: undefined, takes: false },
  { model: 'codex-mini-latest', effort: undefined, takes: false },
  { model: 'gpt-5', effort: undefined, takes: false },
  { model: 'gpt-5-mini', effort: undefined, takes: false },
  { model: 'gpt-5.1', effort: 'LOW', takes: false },
  { model: 'gpt-5.1-codex', effort: undefined, takes: false },
  { model: 'gpt-5.5', effort: undefined, takes: false },
  { model: 'gpt-6-sol', effort: undefined, takes: false },
  { model: 'o3', effort: undefined, takes: false },
  { model: 'o4-mini-2025-04-16', effort: 'HIGH', takes: false },
])('$model with the effort $effort is told how to choose tokens: $takes', ({ model, effort, takes }) => {
  const config = { ...SAMPLING, ...(effort !== undefined && { thinkingConfig: { thinkingLevel: effort } }) }
  for (const provider of ['openai', 'azure']) {
    const { sent, dropped } = asked('openai-chat', model, config, provider)
    expect(SENT.filter((field) => field in sent)).toEqual(takes ? SENT : [])
    const lost = ['temperature', 'topP', 'stopSequences', 'presencePenalty', 'responseLogprobs']
    expect(lost.filter((field) => dropped.some((one) => one.includes(field)))).toEqual(takes ? [] : lost)
    const responses = asked('openai-responses', model, config, provider).sent
    expect([responses['temperature'], responses['top_p']]).toEqual(takes ? [0, 0.9] : [undefined, undefined])
  }
  expect(asked('openai-chat', model, config, 'openrouter').sent).toMatchObject({ temperature: 0, top_p: 0.9 })
})

test.each([
  ['gpt-4o', 'HIGH', undefined],
  ['gpt-4.1', 'LOW', undefined],
  ['gpt-5-chat-latest', 'HIGH', undefined],
  ['gpt-5', 'MINIMAL', 'minimal'],
  ['gpt-5', 'HIGH', 'high'],
  ['gpt-5-pro', 'LOW', 'high'],
  ['gpt-5.1', 'MINIMAL', 'low'],
  ['gpt-5.2', 'MEDIUM', 'medium'],
  ['o3-mini', 'MINIMAL', 'low'],
  ['gpt-5-codex', 'MINIMAL', 'low'],
  ['gpt-5.1-codex', 'MINIMAL', 'low'],
  ['gpt-5.1-codex-mini', 'LOW', 'medium'],
  ['gpt-5.2-pro', 'LOW', 'medium'],
  ['gpt-5.2-codex', 'MINIMAL', 'low'],
  ['gpt-5.10', 'MINIMAL', 'minimal'],
  ['gpt-35-turbo', 'LOW', undefined],
  ['ft:gpt-4o-mini:acme::abc', 'LOW', undefined],
  ['ft:o4-mini:acme::abc', 'MINIMAL', 'low'],
  ['codex-mini-latest', 'MINIMAL', 'low'],
  ['gpt-6-sol', 'MINIMAL', 'minimal'],
  ['my-deployment', 'HIGH', 'high'],
] as const)('%s is told to think %s with the word %s', (model, thinkingLevel, word) => {
  const config = { thinkingConfig: { thinkingLevel } }
  const dropped = word === undefined ? ['thinkingConfig'] : []
  const chat = asked('openai-chat', model, config)
  expect(chat.sent['reasoning_effort']).toBe(word)
  expect(chat.dropped).toEqual(dropped)
  const responses = asked('openai-responses', model, config)
  expect(responses.sent['reasoning']).toEqual(word === undefined ? undefined : { effort: word, summary: 'auto' })
  expect(responses.dropped).toEqual(dropped)
})

test.each([
  ['gpt-4o', undefined],
  ['gpt-5', { effort: 'minimal' }],
  ['o3', { effort: 'low' }],
  ['gpt-5.1', { effort: 'none' }],
  ['gpt-6-sol', { effort: 'none' }],
])('%s is told not to think as far as it can be', (model, reasoning) => {
  const config = { thinkingConfig: { thinkingBudget: 0 } }
  expect(asked('openai-responses', model, config).sent['reasoning']).toEqual(reasoning)
})

test.each([
  ['gpt-5.1-codex-max', 'xhigh', 'xhigh'],
  ['gpt-5.1', 'xhigh', 'high'],
  ['gpt-5.2', 'max', 'xhigh'],
  ['gpt-5.6-sol', 'max', 'max'],
  ['o4-mini', 'max', 'high'],
] as const)('%s is told to think as much as %s with the word %s', (model, effort, word) => {
  const request: NeutralRequest = { ...google.readRequest(plainCall()), effort }
  const sent = neutralOf('openai-chat').writeRequest(request, { model, provider: 'openai' })
  expect(sent).toMatchObject({ reasoning_effort: word })
})

function plainCall() {
  if (endpoint === undefined) throw new RangeError('google')
  return {
    endpoint,
    param: 'm',
    url: endpoint.path,
    headers: {},
    body: Buffer.from('{"contents":{"parts":{"text":"hi"}}}'),
  }
}

const PENALTIES = ['presence_penalty']
test.each([
  ['moonshot', 'kimi-k2.6', ['temperature', 'top_p', ...PENALTIES]],
  ['moonshot', 'kimi-k3', ['temperature', 'top_p', ...PENALTIES]],
  ['moonshot', 'moonshot-v1-8k', []],
  ['xai', 'grok-4.5', [...PENALTIES, 'stop']],
  ['xai', 'grok-4.20-0309-non-reasoning', PENALTIES],
  ['xai', 'grok-code-fast-1', [...PENALTIES, 'stop']],
  ['xai', 'grok-3-mini', [...PENALTIES, 'stop']],
  ['xai', 'grok-10', [...PENALTIES, 'stop']],
  ['xai', 'grok-3', []],
  ['deepseek', 'deepseek-v4-pro', []],
  ['groq', 'llama-3.3-70b-versatile', []],
] as const)('%s: %s is sent all but %j', (provider, model, refused) => {
  const { responseLogprobs: _, ...config } = SAMPLING
  const { sent, dropped } = asked('openai-chat', model, config, provider)
  const fields = ['temperature', 'top_p', 'presence_penalty', 'stop']
  expect(fields.filter((field) => !(field in sent))).toEqual(refused)
  expect(dropped.length).toBe(refused.length)
})

test.each([
  ['xai', 'grok-4.3', 'MINIMAL', 'low'],
  ['xai', 'grok-4.5', 'HIGH', 'high'],
  ['xai', 'grok-3-mini', 'MEDIUM', 'high'],
  ['xai', 'grok-4-1-fast-reasoning', 'HIGH', undefined],
  ['xai', 'grok-4.20-reasoning', 'HIGH', undefined],
  ['xai', 'grok-9', 'HIGH', 'high'],
  ['groq', 'openai/gpt-oss-120b', 'MINIMAL', 'low'],
  ['groq', 'llama-3.3-70b-versatile', 'HIGH', undefined],
  ['together', 'gpt-4o', 'HIGH', 'high'],
] as const)('%s: %s is told to think %s with the word %s', (provider, model, thinkingLevel, word) => {
  const { sent, dropped } = asked('openai-chat', model, { thinkingConfig: { thinkingLevel } }, provider)
  expect(sent['reasoning_effort']).toBe(word)
  expect(dropped).toEqual(word === undefined ? ['thinkingConfig'] : [])
})

test.each([
  ['gpt-4o', ['thinking']],
  ['gpt-5', []],
  ['my-deployment', []],
] as const)('that %s is not told to think is said, where thinking is asked for', (model, dropped) => {
  const request: NeutralRequest = { ...google.readRequest(plainCall()), thinking: { isOn: true, budgetTokens: null } }
  const to = neutralOf('openai-responses')
  const { reasoning } = to.writeRequest(request, { model, provider: 'openai' }) as { readonly reasoning?: object }
  expect(reasoning === undefined).toBe(dropped.length > 0)
  expect(fieldsDropped(request, neutralOf('anthropic').features('openai'), to.features('openai'), model)).toEqual(
    dropped,
  )
})
