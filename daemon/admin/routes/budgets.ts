import type { ConfigHandle } from '../../../config/handle.ts'
import {
  BUDGET_ANSWERS,
  type BudgetInfo,
  budgetChange,
  budgetRequest,
  refillRequest,
} from '../../../schemas/api/budgets.ts'
import { bindsKeys } from '../../../schemas/words/bounds.ts'
import { keyPathText } from '../../../schemas/words/key-path.ts'
import { microdollarsOf } from '../../../schemas/words/money.ts'
import { suggestion } from '../../../schemas/words/nearest.ts'
import type { Access } from '../../auth/access.ts'
import { setEach, unsetWhole } from '../edits.ts'
import { AdminError } from '../error.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'

export type BudgetParts = {
  readonly access: { readonly tokens: Pick<Access['tokens'], 'list'> }
  readonly config: Pick<ConfigHandle, 'current' | 'explain' | 'set' | 'unset' | 'change'>
  readonly money: {
    /** What its pots have spent, those first that have spent most. */
    readonly potsOf: (budget: string) => BudgetInfo['pots']
    /** Adds to the current window. @returns false: the budget has no such subject @throws GateError STORE_UNAVAILABLE */
    readonly refill: (budget: string, subject: string, microdollars: number, by: string) => boolean
  }
}

/** Money that requests may cost. */
export function budgetRoutes({ access, config, money }: BudgetParts): readonly ApiRoute[] {
  const keyOf = (name: string) => keyPathText(['budgets', name])

  function find(name: string): BudgetInfo {
    const { budgets } = config.current()
    const found = Object.hasOwn(budgets, name) ? budgets[name] : undefined
    if (found !== undefined) return { name, ...found, pots: money.potsOf(name) }
    const hint = suggestion(name, Object.keys(budgets), 'budget')
    throw new AdminError('BUDGET_NOT_FOUND', `there is no budget "${name}"`, { hint })
  }

  /** Keys that name a budget are bound by nothing without it. @throws AdminError IN_USE */
  function refuseNamed(name: string): void {
    const keys = access.tokens.list().filter(({ revokedAt, budgets }) => revokedAt === null && budgets.includes(name))
    const [first] = keys
    if (first === undefined) return
    const others = keys.length === 1 ? '' : ` and ${keys.length - 1} more`
    throw new AdminError('IN_USE', `the key "${first.name}"${others} is bound by the budget "${name}"`, {
      hint: `take it from them first: gatectl token change ${first.id} --budgets OTHERS`,
    })
  }

  const settingsOf = ({ name: _, pots: __, ...settings }: BudgetInfo) => settings

  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/budgets',
      scope: 'config:read',
      summary: 'Lists the budgets, with what is spent of each',
      answer: BUDGET_ANSWERS['GET /api/admin/budgets'],
      handle: () => json({ budgets: Object.keys(config.current().budgets).map(find) }),
    }),
    apiRoute({
      method: 'GET',
      path: '/api/admin/budgets/{name}',
      scope: 'config:read',
      summary: 'Shows a budget, with what is spent of it',
      answer: BUDGET_ANSWERS['GET /api/admin/budgets/{name}'],
      handle: ({ params: { name = '' } }) => json(find(name)),
    }),
    apiRoute({
      method: 'POST',
      path: '/api/admin/budgets',
      scope: 'admin',
      summary: 'Makes a budget',
      audit: 'budget.create',
      status: 201,
      body: budgetRequest,
      answer: BUDGET_ANSWERS['POST /api/admin/budgets'],
      handle: async ({ body: { name, ...settings } }) => {
        if (Object.hasOwn(config.current().budgets, name))
          throw new AdminError('ALREADY_EXISTS', `there is a budget "${name}" already`, { hint: 'PATCH changes it' })
        await config.set(keyOf(name), settings, { force: false })
        return json(find(name), { change: { object: `budget:${name}`, old: null, new: settings } })
      },
    }),
    apiRoute({
      method: 'PATCH',
      path: '/api/admin/budgets/{name}',
      scope: 'admin',
      summary: 'Changes a budget; what is spent stays spent',
      audit: 'budget.change',
      body: budgetChange,
      answer: BUDGET_ANSWERS['PATCH /api/admin/budgets/{name}'],
      handle: async ({ params: { name = '' }, body }) => {
        const old = settingsOf(find(name))
        if (body.scope !== undefined && body.scope !== null && !bindsKeys(body.scope)) refuseNamed(name)
        await setEach(config, ['budgets', name], body)
        const changed = find(name)
        return json(changed, { change: { object: `budget:${name}`, old, new: settingsOf(changed) } })
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/api/admin/budgets/{name}',
      scope: 'admin',
      summary: 'Removes a budget',
      audit: 'budget.remove',
      answer: BUDGET_ANSWERS['DELETE /api/admin/budgets/{name}'],
      handle: async ({ params: { name = '' } }) => {
        const old = settingsOf(find(name))
        refuseNamed(name)
        const change = await unsetWhole(config, keyOf(name))
        return json(change, { change: { object: `budget:${name}`, old, new: null } })
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/api/admin/budgets/{name}/refill',
      scope: 'admin',
      summary: 'Adds money to a budget for the current window',
      audit: 'budget.refill',
      body: refillRequest,
      answer: BUDGET_ANSWERS['POST /api/admin/budgets/{name}/refill'],
      handle: ({ params: { name = '' }, body: { amount, subject }, caller }) => {
        find(name)
        const sign = amount.startsWith('-') ? -1 : 1
        const microdollars = sign * microdollarsOf(amount.replace('-', ''))
        if (!money.refill(name, subject, microdollars, caller.name))
          throw new AdminError('BAD_REQUEST', `budget "${name}" has no subject "${subject}"`, {
            hint: `gatectl budget show ${name} lists them`,
          })
        const refilled = { amount, ...(subject !== '' && { subject }) }
        return json(find(name), { change: { object: `budget:${name}`, old: null, new: refilled } })
      },
    }),
  ]
}
