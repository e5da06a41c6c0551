import type { Allowance } from '../../schemas/words/allowance.ts'
import { GateError } from '../../schemas/words/errors.ts'
import type { Proof } from '../../schemas/words/proofs.ts'
import { SCOPES, type Scope } from '../../schemas/words/scopes.ts'

/** The client addresses that a key may come from. */
export type AddressRanges = { readonly has: (address: string) => boolean }

/**
 * Who a request comes from. One is made when something about it changes, not per request: until then every request of
 * the same credential has the same object, so that what is computed from it can be kept beside it (`WeakMap`).
 */
export type Principal = {
  /** What usage is booked on: the id of a key, `system`, `none`, or `user:ID` for a person without a key. */
  readonly keyId: string
  /** For people and logs: of the key, or of the person. */
  readonly name: string
  readonly scopes: ReadonlySet<Scope>
  /** The models that it may use; null: all. */
  readonly allowed: Allowance | null
  /** It is that of a program with users of its own, and what that says of them is believed. */
  readonly namesUsers: boolean
  /** The person; null: a service key, the system key, no one. */
  readonly userId: string | null
  /** Ids of the person's teams, or of the team of a service key. */
  readonly teams: readonly string[]
  readonly via: Proof
  /** What a revocation ends: the id of a key or session. */
  readonly credentialId: string
  /** null: any address. */
  readonly addresses: AddressRanges | null
  /** Names of budgets that count this key's spending beside those whose scope it is in. */
  readonly budgets: readonly string[]
  /** Names of limits, in the same way. */
  readonly limits: readonly string[]
  /** Id of the gateway that alone may use the key; null: any client may. */
  readonly node: string | null
}

const NOBODY = {
  allowed: null,
  namesUsers: false,
  userId: null,
  teams: [],
  addresses: null,
  budgets: [],
  limits: [],
  node: null,
} as const

/** The principal that `auth.mode = "none"` gives to every client. */
export const ANYBODY: Principal = {
  ...NOBODY,
  keyId: 'none',
  name: 'auth.mode none',
  scopes: new Set(SCOPES),
  via: 'none',
  credentialId: 'none',
}

/** The principal of `auth.token`. */
export const SYSTEM: Principal = {
  ...NOBODY,
  keyId: 'system',
  name: 'auth.token',
  scopes: new Set(SCOPES),
  via: 'system',
  credentialId: 'system',
}

/** @throws GateError MISSING_SCOPE */
export function requireScope(principal: Principal, scope: Scope): void {
  if (mayDo(principal.scopes, scope)) return
  throw new GateError('MISSING_SCOPE', `the key "${principal.name}" lacks the scope ${scope}; make one that has it`)
}

/** Whether scopes include another one: `admin` includes all, and who may ask a model may list the models. */
export function mayDo(scopes: ReadonlySet<Scope>, scope: Scope): boolean {
  return scopes.has(scope) || scopes.has('admin') || (scope === 'chat:read' && scopes.has('chat:write'))
}
