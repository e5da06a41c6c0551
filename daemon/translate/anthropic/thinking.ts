import { isForced } from '../features.ts'
import type { NeutralPart, NeutralRequest } from '../neutral.ts'
import { THINKING_BUDGETS } from '../thinking-budgets.ts'
import { limitOf } from './limits.ts'

/** What a model takes of `thinking` and of the effort. */
const NONE = /claude-(?:2|instant|3-(?!7))/
const BUDGETS_ALONE = /claude-(?:3-7|(?:opus|sonnet|haiku)-4(?:[-.][015])?(?:-\d{8})?(?:-v\d+)?(?=$|[@:]))/
const NO_BUDGETS = /claude-(?:opus-4[-.][7-9]|[a-z]+-[5-9](?:$|\D))/

/** The least that a model may be told to think. */
const LEAST_BUDGET = 1_024

/**
 * Whether thinking may be asked for: not where a call is forced. Within a budget, not where the limit leaves no room
 * for one, nor where the model has called a tool since the question without a thought that it has signed.
 * @see https://docs.claude.com/en/docs/build-with-claude/extended-thinking
 */
export function mayThink(request: NeutralRequest, model: string): boolean {
  if (NONE.test(model) || isForced(request)) return false
  return budgetOf(request, model) === null || (limitOf(request, model) > LEAST_BUDGET && !hasBareCalls(request))
}

/** How a model is told whether to think, and how much; null: it is not told. */
export function thinkingOf(request: NeutralRequest, model: string): object | null {
  const { thinking } = request
  if (thinking === null || (thinking.isOn && !mayThink(request, model))) return null
  if (!thinking.isOn) return NONE.test(model) ? null : { type: 'disabled' }
  const budget = budgetOf(request, model)
  if (budget === null) return { type: 'adaptive', display: 'summarized' }
  return {
    type: 'enabled',
    budget_tokens: Math.min(Math.max(budget, LEAST_BUDGET), limitOf(request, model) - 1),
  }
}

/** Null: the model thinks as it likes. */
function budgetOf({ thinking, effort }: NeutralRequest, model: string): number | null {
  if (NO_BUDGETS.test(model)) return null
  return thinking?.budgetTokens ?? (BUDGETS_ALONE.test(model) ? THINKING_BUDGETS[effort ?? 'medium'] : null)
}

function hasBareCalls({ messages }: NeutralRequest): boolean {
  const asked = messages.findLastIndex(
    ({ role, parts }) => role === 'user' && !parts.some(({ kind }) => kind === 'result'),
  )
  return messages
    .slice(asked + 1)
    .some(({ parts }) => parts.some(({ kind }) => kind === 'call') && !parts.some(isOwnThought))
}

const isOwnThought = (part: NeutralPart): boolean =>
  part.kind === 'redacted' || (part.kind === 'reasoning' && part.signature !== null && part.signedBy === undefined)

/** The effort of a model that knows efforts. */
export function effortOf({ effort }: NeutralRequest, model: string): object {
  if (effort === null || NONE.test(model) || BUDGETS_ALONE.test(model)) return {}
  return { effort: effort === 'minimal' ? 'low' : effort }
}
