import { expect, test } from 'vitest'
import { knownFacts } from '../../../schemas/words/known-models.ts'
import { sharedFacts } from '../../../schemas/words/model-facts.ts'

test.each([
  { provider: 'openai', model: 'gpt-4.1', context: 1_047_576 },
  { provider: 'openai', model: 'gpt-4.1-2025-04-14', context: 1_047_576 },
  { provider: 'anthropic', model: 'claude-haiku-4-5-20251001', context: 200_000 },
  { provider: 'mistral', model: 'codestral-latest', context: 128_000 },
  { provider: 'openai', model: 'gpt-4.1-turbo', context: undefined },
  { provider: 'openai', model: 'toString', context: undefined },
  { provider: 'custom', model: 'gpt-4.1', context: undefined },
  { provider: 'constructor', model: 'name', context: undefined },
])('$provider $model has a context of $context', ({ provider, model, context }) => {
  expect(knownFacts(provider, model)?.contextTokens).toBe(context)
})

test('a known model has limits, abilities and prices', () => {
  expect(knownFacts('anthropic', 'claude-sonnet-4-5')).toEqual({
    contextTokens: 200_000,
    outputTokens: 64_000,
    input: ['text', 'image', 'file'],
    output: ['text'],
    tools: true,
    reasoning: true,
    price: { input: 3_000_000, output: 15_000_000, cacheRead: 300_000, cacheWrite: 3_750_000 },
  })
})

test.each([
  { what: 'none', all: [], shared: {} },
  { what: 'one', all: [{ contextTokens: 8, tools: true }], shared: { contextTokens: 8, tools: true } },
  {
    what: 'two: the smaller limit, and what both can do',
    all: [
      { contextTokens: 8, input: ['text', 'image'], tools: true, price: { input: 1, output: 2 } },
      { contextTokens: 4, input: ['text'], tools: false, price: { input: 1, output: 2 } },
    ],
    shared: { contextTokens: 4, input: ['text'], tools: false, price: { input: 1, output: 2 } },
  },
  { what: 'two, of which one is unknown', all: [{ contextTokens: 8, tools: true }, {}], shared: {} },
] as const)('facts of $what', ({ all, shared }) => expect(sharedFacts(all)).toEqual(shared))

test.each(['gemini-2.5-flash', 'gemini-2.5-pro', 'gemini-3.5-flash-lite', 'gemini-4-hydrogen'])(
  '%s takes sound and films, as all of its family',
  (model) => {
    expect(knownFacts('google', model)?.input).toEqual(['text', 'image', 'audio', 'video', 'file'])
  },
)
