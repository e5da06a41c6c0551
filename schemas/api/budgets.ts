import { z } from 'zod'
import { configChange } from '../admin.ts'
import { budget } from '../config/money.ts'
import { NAME } from '../config/values.ts'

/** What one subject of a budget has spent in the window that goes on. Times are ISO 8601 in UTC. */
const pot = z.strictObject({
  /** Whom it is about: the id of a key, person or team, or a name; empty: all that the budget counts. */
  subject: z.string(),
  spent_microdollars: z.number(),
  /** What requests in flight may cost. */
  reserved_microdollars: z.number(),
  refilled_microdollars: z.number(),
  /** What may still be spent, overdraft included; null: there is no end. */
  left_microdollars: z.number().nullable(),
  percent: z.number(),
  begins: z.string(),
  ends: z.string(),
})

/** GET /api/admin/budgets/{name} */
const budgetInfo = z.strictObject({
  name: z.string(),
  ...budget.shape,
  /** Those that have spent most come first. */
  pots: z.array(pot),
})
const budgetList = z.strictObject({ budgets: z.array(budgetInfo) })

const name = z.string().regex(NAME, 'use at most 63 lower-case letters and digits, with single "-" or "_" between')
/** POST /api/admin/budgets */
export const budgetRequest = z.strictObject({ name, ...budget.shape })
const { limit, window, zone, scope, soft, overdraft, unknown_price: unknownPrice } = budget.shape
/** PATCH /api/admin/budgets/{name}: `null` takes a setting away. */
export const budgetChange = z.strictObject({
  limit: limit.exactOptional(),
  window: window.exactOptional(),
  zone: zone.unwrap().nullable().exactOptional(),
  scope: scope.unwrap().nullable().exactOptional(),
  soft: soft.unwrap().nullable().exactOptional(),
  overdraft: overdraft.unwrap().nullable().exactOptional(),
  unknown_price: unknownPrice.unwrap().nullable().exactOptional(),
})
/** POST /api/admin/budgets/{name}/refill: money for the window that goes on; with a minus it is taken. */
export const refillRequest = z.strictObject({
  amount: z.string().regex(/^-?\d{1,9}(?:\.\d{1,6})? USD$/, 'write an amount and its currency such as "20 USD"'),
  subject: z.string().max(300).default(''),
})

export const BUDGET_ANSWERS = {
  'GET /api/admin/budgets': budgetList,
  'GET /api/admin/budgets/{name}': budgetInfo,
  'POST /api/admin/budgets': budgetInfo,
  'PATCH /api/admin/budgets/{name}': budgetInfo,
  'DELETE /api/admin/budgets/{name}': configChange,
  'POST /api/admin/budgets/{name}/refill': budgetInfo,
} as const
export type BudgetInfo = z.output<typeof budgetInfo>
