import { expect, test } from 'vitest'
import { effortOf, thinkingOf } from '../../../../../daemon/translate/anthropic/thinking.ts'
import type { NeutralRequest } from '../../../../../daemon/translate/neutral.ts'

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
