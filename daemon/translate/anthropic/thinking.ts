import { isForced } from '../features.ts'
import type { Effort, NeutralRequest } from '../neutral.ts'
import { limitOf } from './limits.ts'

/** What a model takes of `thinking` and of the effort. */
const NONE = /claude-(?:2|instant|3-(?!7))/
const BUDGETS_ALONE = /claude-(?:3-7|(?:opus|sonnet|haiku)-4(?:[-.][015])?(?:-\d{8})?(?:-v\d+)?(?=$|[@:]))/
const NO_BUDGETS = /claude-(?:opus-4[-.][7-9]|[a-z]+-[5-9](?:$|\D))/

/** The least that a model may be told to think. */
const LEAST_BUDGET = 1_024
/** Those of Google's route for clients of OpenAI. */
const BUDGETS: Readonly<Record<Effort, number>> = {
  minimal: 1_024,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
}

/**
 * Whether thinking may be asked for: not where a call is forced, and not where a budget has no room below the limit.
 * @see https://docs.claude.com/en/docs/build-with-claude/extended-thinking
 */
export function mayThink(request: NeutralRequest): boolean {
  const { thinking, maxOutputTokens } = request
  const hasRoom = thinking?.budgetTokens == null || maxOutputTokens === null || maxOutputTokens > LEAST_BUDGET
  return hasRoom && !isForced(request)
}

/** How a model is told whether to think, and how much; null: it is not told. */
export function thinkingOf(request: NeutralRequest, model: string): object | null {
  const { thinking, effort } = request
  if (thinking === null || NONE.test(model) || (thinking.isOn && !mayThink(request))) return null
  if (!thinking.isOn) return { type: 'disabled' }
  const hasBudgetsAlone = BUDGETS_ALONE.test(model)
  const budgetTokens = thinking.budgetTokens ?? (hasBudgetsAlone ? BUDGETS[effort ?? 'medium'] : null)
  if (budgetTokens === null || NO_BUDGETS.test(model)) return { type: 'adaptive', display: 'summarized' }
  const limit = limitOf(request, model)
  if (limit <= LEAST_BUDGET) return null
  return { type: 'enabled', budget_tokens: Math.min(Math.max(budgetTokens, LEAST_BUDGET), limit - 1) }
}

/** The effort of a model that knows efforts. */
export function effortOf({ effort }: NeutralRequest, model: string): object {
  if (effort === null || NONE.test(model) || BUDGETS_ALONE.test(model)) return {}
  return { effort: effort === 'minimal' ? 'low' : effort }
}
