import { expect, test } from 'vitest'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'
import { translate } from '../../../../daemon/translate/translation.ts'
import type { ModelFacts } from '../../../../schemas/words/model-facts.ts'

const [chat] = DIALECTS.all
const messages = DIALECTS.all.find(({ name }) => name === 'anthropic')
const FACTS = { requestId: 'r1', nowS: 1_700_000_000, elapsedNs: () => 0 }

/** The longest answer that an upstream is asked for. */
function limitAt(provider: string, facts: ModelFacts | undefined, asked: number, words = 1): unknown {
  const endpoint = messages?.endpoints.find(({ does }) => does === 'generate')
  if (messages === undefined || endpoint === undefined) throw new RangeError('anthropic')
  const content = 'word '.repeat(words)
  const body = Buffer.from(JSON.stringify({ model: 'm', max_tokens: asked, messages: [{ role: 'user', content }] }))
  const spoken = { dialect: chat, grade: 'translate', instead: chat } as const
  const call = { endpoint, param: '', url: endpoint.path, headers: {}, body }
  const side = { model: 'm', provider, ...(facts !== undefined && { facts }) }
  const sent = JSON.parse(translate(messages, spoken, call, side, FACTS).body.toString())
  return sent.max_tokens ?? sent.max_completion_tokens
}

/** What is dropped of a budget for thoughts on the way to a model of Anthropic's. */
function thoughtsAt(facts: ModelFacts): readonly string[] {
  const google = DIALECTS.all.find(({ name }) => name === 'google')
  const endpoint = google?.endpoints.find(({ does }) => does === 'generate')
  if (google === undefined || messages === undefined || endpoint === undefined) throw new RangeError('google')
  const generationConfig = { maxOutputTokens: 8_000, thinkingConfig: { thinkingBudget: 2_000 } }
  const body = Buffer.from(JSON.stringify({ contents: [{ parts: [{ text: 'hi' }] }], generationConfig }))
  const call = { endpoint, param: 'm', url: endpoint.path, headers: {}, body }
  const spoken = { dialect: messages, grade: 'translate', instead: messages } as const
  const side = { model: 'claude-sonnet-4-5', provider: 'anthropic', facts }
  return translate(google, spoken, call, side, FACTS).dropped
}

test.each([
  { says: 'nothing is known', provider: 'openai', facts: undefined, asked: 32_000, limit: 32_000 },
  { says: 'it can say less', provider: 'openai', facts: { outputTokens: 16_384 }, asked: 32_000, limit: 16_384 },
  { says: 'it can say more', provider: 'deepseek', facts: { outputTokens: 65_536 }, asked: 32_000, limit: 32_000 },
  { says: 'a context of others', provider: 'openai', facts: { contextTokens: 1_000 }, asked: 2_000, limit: 2_000 },
  { says: 'an engine has room', provider: 'vllm', facts: { contextTokens: 131_072 }, asked: 32_000, limit: 32_000 },
])('where $says, $asked tokens become $limit', ({ provider, facts, asked, limit }) => {
  expect(limitAt(provider, facts, asked)).toBe(limit)
})

test('an engine is asked for what its context has left, and for a little where that is nothing', () => {
  const facts = { contextTokens: 32_768 }
  for (const words of [1, 3_000, 10_000]) {
    const limit = limitAt('vllm', facts, 32_000, words)
    expect(Number(limit) + words).toBeLessThan(32_768)
    expect(limit).toBeGreaterThanOrEqual(Math.min(32_000, 32_768 - 2 * words - 200))
  }
  expect(limitAt('vllm', facts, 32_000, 100_000)).toBe(1_024)
  expect(limitAt('vllm', facts, 500, 100_000)).toBe(500)
})

test('what the lower limit costs besides is named', () => {
  expect(thoughtsAt({})).toEqual([])
  expect(thoughtsAt({ outputTokens: 1_000 })).toEqual(['generationConfig.thinkingConfig'])
})
