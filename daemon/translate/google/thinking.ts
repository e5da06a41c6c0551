import type { Effort, NeutralRequest } from '../neutral.ts'
import { THINKING_BUDGETS } from '../thinking-budgets.ts'

/** They know no levels. */
const HAS_BUDGETS_ONLY = /gemini-[12]/
const LEVELS: Readonly<Record<Effort, string>> = {
  minimal: 'MINIMAL',
  low: 'LOW',
  medium: 'MEDIUM',
  high: 'HIGH',
  xhigh: 'HIGH',
  max: 'HIGH',
}
/** Those that do so by themselves; others refuse to be asked for thoughts. */
const THINKS = /gemini-(?:2\.5|[3-9]|\d\d)/
/** Those that cannot do with the least. */
const IS_PRO = /gemini-(?:[3-9]|\d\d).*pro/
/**
 * The least and the most that models of the second generation think; others take any budget.
 * @see https://ai.google.dev/gemini-api/docs/thinking#set-budget
 */
const RANGES: readonly (readonly [RegExp, number, number])[] = [
  [/gemini-2.*pro/, 128, 32_768],
  [/gemini-2.*lite/, 512, 24_576],
  [/gemini-2/, 1, 24_576],
]

/** A budget that is none, 0, or -1 for as much as the model likes, stays so. */
function withinRange(budget: number, model: string): number {
  const [, least = budget, most = budget] = RANGES.find(([pattern]) => pattern.test(model)) ?? []
  return budget <= 0 ? budget : Math.min(Math.max(budget, least), most)
}

/** How much a model is to think; nothing where that is left to it. A budget counts for more than an effort. */
export function thinkingConfigOf(request: NeutralRequest, model: string): object {
  const { thinking, effort } = request
  const isAsked = request.asksForThoughts === true && THINKS.test(model)
  if (thinking === null && effort === null) return isAsked ? { thinkingConfig: { includeThoughts: true } } : {}
  if (thinking?.isOn === false) return { thinkingConfig: leastOf(model) }
  const includeThoughts = thinking !== null && thinking.isShown !== false
  const shown = includeThoughts ? { includeThoughts } : {}
  const budget = thinking?.budgetTokens ?? null
  if (budget !== null) return { thinkingConfig: { thinkingBudget: withinRange(budget, model), ...shown } }
  if (effort === null) return { thinkingConfig: shown }
  const level = IS_PRO.test(model) && effort === 'minimal' ? LEVELS.low : LEVELS[effort]
  const amount = HAS_BUDGETS_ONLY.test(model) ? { thinkingBudget: THINKING_BUDGETS[effort] } : { thinkingLevel: level }
  return { thinkingConfig: { ...amount, ...shown } }
}

function leastOf(model: string): object {
  if (/gemini-2.*pro/.test(model)) return { thinkingBudget: withinRange(1, model) }
  if (IS_PRO.test(model)) return { thinkingLevel: LEVELS.low }
  return /gemini-(?:[3-9]|\d\d)/.test(model) ? { thinkingLevel: LEVELS.minimal } : { thinkingBudget: 0 }
}
