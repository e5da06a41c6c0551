import { expect, test } from 'vitest'
import { effortOf, mayThink, thinkingOf } from '../../../../../daemon/translate/anthropic/thinking.ts'
import type { NeutralPart, NeutralRequest } from '../../../../../daemon/translate/neutral.ts'

const ADAPTIVE = { type: 'adaptive', display: 'summarized' }
const asked = (request: Partial<NeutralRequest>): NeutralRequest => ({
  stream: false,
  messages: [],
  tools: [],
  toolChoice: null,
  parallelCalls: null,
  maxOutputTokens: 32_000,
  temperature: null,
  topP: null,
  topK: null,
  stop: [],
  seed: null,
  frequencyPenalty: null,
  presencePenalty: null,
  answerForm: null,
  thinking: { isOn: true, budgetTokens: null },
  effort: 'high',
  endUser: null,
  showsUsage: false,
  features: new Set(),
  ownFields: [],
  ...request,
})
const budget = (budgetTokens: number) => ({ type: 'enabled', budget_tokens: budgetTokens })

test.each([
  { model: 'claude-3-5-sonnet-20241022', thinking: null, effort: {} },
  { model: 'claude-3-7-sonnet-20250219', thinking: budget(24_576), effort: {} },
  { model: 'claude-opus-4-20250514', thinking: budget(24_576), effort: {} },
  { model: 'claude-sonnet-4-5', thinking: budget(24_576), effort: {} },
  { model: 'anthropic/claude-sonnet-4.5', thinking: budget(24_576), effort: {} },
  { model: 'claude-haiku-4-5-20251001', thinking: budget(24_576), effort: {} },
  { model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0', thinking: budget(24_576), effort: {} },
  { model: 'claude-sonnet-4-6', thinking: ADAPTIVE, effort: { effort: 'high' } },
  { model: 'claude-opus-4-8', thinking: ADAPTIVE, effort: { effort: 'high' } },
  { model: 'claude-sonnet-5', thinking: ADAPTIVE, effort: { effort: 'high' } },
  { model: 'another', thinking: ADAPTIVE, effort: { effort: 'high' } },
])('$model is told to think in the way that it takes', ({ model, thinking, effort }) => {
  expect(thinkingOf(asked({}), model)).toEqual(thinking)
  expect(effortOf(asked({}), model)).toEqual(effort)
})

test.each([
  { model: 'claude-sonnet-4-6', limit: 32_000, thinking: budget(2_000) },
  { model: 'claude-sonnet-4-6', limit: 1_500, thinking: budget(1_499) },
  { model: 'claude-sonnet-4-6', limit: 1_024, thinking: null },
  { model: 'claude-opus-4-7', limit: 32_000, thinking: ADAPTIVE },
  { model: 'claude-sonnet-5', limit: 32_000, thinking: ADAPTIVE },
])('a budget of 2000 for $model below $limit', ({ model, limit, thinking }) => {
  const request = asked({ thinking: { isOn: true, budgetTokens: 2_000 }, maxOutputTokens: limit, effort: null })
  expect(thinkingOf(request, model)).toEqual(thinking)
})

const question = { role: 'user', parts: [{ kind: 'text', text: '?' }] } as const
const call = { kind: 'call', id: 'c', name: 'f', json: '{}' } as const
const result = { role: 'user', parts: [{ kind: 'result', id: 'c', parts: [], isError: false }] } as const
const thought = (signature: string | null, signedBy?: string) =>
  ({ kind: 'reasoning', text: 'hm', signature, signedBy }) as const
const called = (...parts: NeutralPart[]) => [question, { role: 'assistant', parts: [...parts, call] } as const, result]

test.each([
  { name: 'without a thought', messages: called(), may: false },
  { name: 'after a thought of its own', messages: called(thought('s')), may: true },
  { name: 'after a sealed thought', messages: called({ kind: 'redacted', sealed: 's' }), may: true },
  { name: 'after a thought of another provider', messages: called(thought('s', 'google')), may: false },
  { name: 'after a thought that nobody signed', messages: called(thought(null)), may: false },
  { name: 'before the last question', messages: [...called(), question], may: true },
])('a model that takes budgets and has called $name may think: $may', ({ messages, may }) => {
  expect(mayThink(asked({ messages }), 'claude-sonnet-4-5')).toBe(may)
  expect(mayThink(asked({ messages }), 'claude-sonnet-4-6')).toBe(true)
})
