import { expect, test } from 'vitest'
import { thinkingConfigOf } from '../../../../../daemon/translate/google/thinking.ts'
import type { NeutralRequest } from '../../../../../daemon/translate/neutral.ts'

const asked = (budgetTokens: number) =>
  ({ thinking: { isOn: true, budgetTokens }, effort: null }) as unknown as NeutralRequest

test.each([
  ['gemini-2.5-flash', 31_999, 24_576],
  ['gemini-2.5-flash', 1_024, 1_024],
  ['gemini-2.5-flash', -1, -1],
  ['gemini-2.5-flash-lite', 100, 512],
  ['gemini-2.5-flash-lite', 64_000, 24_576],
  ['gemini-2.5-pro', 64_000, 32_768],
  ['gemini-2.5-pro', 31_999, 31_999],
  ['gemini-2.5-pro', 1, 128],
  ['gemini-3.5-flash', 64_000, 64_000],
])('%s thinks within its range: %i tokens become %i', (model, budget, thinkingBudget) => {
  expect(thinkingConfigOf(asked(budget), model)).toMatchObject({ thinkingConfig: { thinkingBudget } })
})
