import type { ConfigHandle } from '../../../config/handle.ts'
import {
  keyChange,
  keyInfo,
  keyList,
  keyRequest,
  madeKey,
  revokedKey,
  rotatedKey,
  rotateRequest,
} from '../../../schemas/api/keys.ts'
import { type Bounds, unboundBy } from '../../../schemas/words/bounds.ts'
import type { Access } from '../../auth/access.ts'
import type { KeyWish, TokenRecord } from '../../auth/key-record.ts'
import type { Principal } from '../../auth/principal.ts'
import { overlapMs } from '../duration.ts'
import { AdminError } from '../error.ts'
import { keyInfoOf, timeText } from '../key-info.ts'
import { changeOf, wishOf } from '../key-wish.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'

export type KeyParts = {
  readonly access: Pick<Access, 'users' | 'teams' | 'tokens' | 'refuseBeyond'>
  readonly config: Pick<ConfigHandle, 'current'>
  /** Unix milliseconds. */
  readonly now: () => number
}

const DEFAULT_OVERLAP = '24h'

/** All keys, for those who administer the gateway. */
export function keyRoutes(parts: KeyParts): readonly ApiRoute[] {
  const { access, config, now } = parts
  const { tokens } = access
  const infoOf = (key: TokenRecord) => keyInfoOf(access, key, now())
  const found = (id: string) => existing(tokens.get(id), id)
  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/keys',
      scope: 'admin',
      summary: 'Lists the keys, without their text, revoked ones included',
      answer: keyList,
      handle: () => json({ keys: tokens.list().map(infoOf) }),
    }),
    keyCreation('/api/admin/keys', parts),
    apiRoute({
      method: 'GET',
      path: '/api/admin/keys/{id}',
      scope: 'admin',
      summary: 'Shows a key, without its text',
      answer: keyInfo,
      handle: ({ params: { id = '' } }) =>
        json(
          infoOf(
            existing(
              tokens.list().find((key) => key.id === id),
              id,
            ),
          ),
        ),
    }),
    apiRoute({
      method: 'PATCH',
      path: '/api/admin/keys/{id}',
      scope: 'admin',
      summary: 'Changes what a key may do, or disables it; at once, also for what is being answered to it',
      body: keyChange,
      answer: keyInfo,
      audit: 'key.change',
      handle: ({ params: { id = '' }, body, principal }) => {
        const before = found(id)
        const change = changeOf(body, before, now())
        refuseUnbound({ budgets: [], limits: [], ...change }, config)
        const isWider = ['scopes', 'allowed', 'namesUsers'].some((name) => name in change)
        if (isWider) access.refuseBeyond({ ...before, ...change }, principal)
        const old = infoOf(before)
        const changed = infoOf(existing(tokens.change(id, change), id))
        return json(changed, { change: { object: `key:${id}`, old, new: changed } })
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/api/admin/keys/{id}',
      scope: 'admin',
      summary: 'Revokes a key at once',
      answer: revokedKey,
      audit: 'key.revoke',
      handle: ({ params: { id = '' } }) => revokeKey(access, found(id)),
    }),
    apiRoute({
      method: 'POST',
      path: '/api/admin/keys/{id}/rotate',
      scope: 'admin',
      summary: 'Gives a key another text; the one before counts as well for a while',
      body: rotateRequest.default({}),
      answer: rotatedKey,
      audit: 'key.rotate',
      handle: ({ params: { id = '' }, body }) => rotateKey(access, found(id), body.overlap),
    }),
  ]
}

/** The route by which operators make keys, at a path. */
export const keyCreation = (path: ApiRoute['path'], parts: KeyParts): ApiRoute =>
  apiRoute({
    method: 'POST',
    path,
    scope: 'admin',
    summary: 'Makes a key and shows it, this one time only',
    body: keyRequest,
    answer: madeKey,
    status: 201,
    audit: 'key.create',
    handle: ({ body, principal }) => {
      const wish = wishOf(body, principal, parts.access, parts.now())
      refuseUnbound(wish, parts.config)
      return makeKey(parts, wish, principal)
    },
  })

/** @throws GateError BEYOND_MAKER */
export function makeKey({ access, now }: Pick<KeyParts, 'access' | 'now'>, wish: KeyWish, principal: Principal) {
  access.refuseBeyond(wish, principal)
  const { record, token } = access.tokens.issue(wish)
  const info = keyInfoOf(access, record, now())
  return json({ ...info, token }, { change: { object: `key:${record.id}`, new: info } })
}

/** A key that names what does not bind it would seem to be bound. @throws AdminError BAD_REQUEST */
function refuseUnbound(wish: Bounds, config: KeyParts['config']): void {
  const why = unboundBy(wish, config.current())
  if (why !== null) throw new AdminError('BAD_REQUEST', why.message, { hint: why.hint })
}

export function revokeKey({ tokens }: Pick<Access, 'tokens'>, key: TokenRecord) {
  if (!tokens.revoke(key.id)) throw keyNotFound(key.id)
  return json({ id: key.id, revoked: true as const }, { change: { object: `key:${key.id}`, old: { name: key.name } } })
}

/** @param overlap 24 h when absent */
export function rotateKey({ tokens }: Pick<Access, 'tokens'>, { id, name }: TokenRecord, overlap = DEFAULT_OVERLAP) {
  const rotated = tokens.rotate(id, overlapMs(overlap))
  if (rotated === undefined) throw keyNotFound(id)
  const until = timeText(rotated.until)
  const change = { object: `key:${id}`, new: { name, previous_valid_until: until } }
  return json({ id, name, token: rotated.token, previous_valid_until: until }, { change })
}

/** @throws AdminError TOKEN_NOT_FOUND: the same for one that is another person's */
export function existing(key: TokenRecord | undefined, id: string): TokenRecord {
  if (key === undefined) throw keyNotFound(id)
  return key
}

function keyNotFound(id: string): AdminError {
  return new AdminError('TOKEN_NOT_FOUND', `unknown token ${id}`, {
    hint: 'gatectl token list shows the ids',
  })
}
