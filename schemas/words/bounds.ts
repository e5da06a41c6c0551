import { GateError } from './errors.ts'
import { suggestion } from './nearest.ts'
import { payerScope } from './payer-scope.ts'

/** Names of budgets and limits, as a key has them. */
export type Bounds = { readonly budgets: readonly string[]; readonly limits: readonly string[] }
type Scoped = Readonly<Record<string, { readonly scope: string }>>
/** The budgets and limits that there are. */
export type Bounding = { readonly budgets: Scoped; readonly limits: Scoped }

/**
 * Refuses a request whose key names a budget or limit that is not there (any more): it would be bound by nothing.
 * @throws GateError BOUND_MISSING
 */
export function requireBounds({ budgets, limits }: Bounds, there: Bounding): void {
  if (budgets.length === 0 && limits.length === 0) return
  for (const name of budgets) if (!Object.hasOwn(there.budgets, name)) throw missing('budget', name)
  for (const name of limits) if (!Object.hasOwn(there.limits, name)) throw missing('limit', name)
}

function missing(what: 'budget' | 'limit', name: string): GateError {
  return new GateError(
    'BOUND_MISSING',
    `this key is bound by the ${what} "${name}", which does not exist; an operator can make it, or change the key`,
  )
}

/** Why a key that names a budget or limit would not be bound by it. */
export type Unbound = { readonly message: string; readonly hint: string }

/** @returns null: all that is named binds a key */
export function unboundBy({ budgets, limits }: Bounds, there: Bounding): Unbound | null {
  for (const name of budgets) {
    const found = unbound('budget', name, there.budgets)
    if (found !== null) return found
  }
  for (const name of limits) {
    const found = unbound('limit', name, there.limits)
    if (found !== null) return found
  }
  return null
}

function unbound(what: 'budget' | 'limit', name: string, all: Scoped): Unbound | null {
  const found = Object.hasOwn(all, name) ? all[name] : undefined
  if (found === undefined)
    return { message: `there is no ${what} "${name}"`, hint: suggestion(name, Object.keys(all), what) }
  if (bindsKeys(found.scope)) return null
  return {
    message: `the ${what} "${name}" has the scope ${found.scope}, so it does not bind the keys that name it`,
    hint: `set ${what}s.${name}.scope to attached, or name another one`,
  }
}

/** Whether a budget or limit of this scope counts every key that names it. */
export function bindsKeys(written: string): boolean {
  const scope = payerScope(written)
  return scope.kind === 'attached' || scope.kind === 'global' || (scope.kind === 'each' && scope.what === 'key')
}
