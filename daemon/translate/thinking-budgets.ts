import type { Effort } from './neutral.ts'

/** Tokens to think with, for models that know budgets and no efforts: those of Google's own route for clients of OpenAI. */
export const THINKING_BUDGETS: Readonly<Record<Effort, number>> = {
  minimal: 1_024,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
}
