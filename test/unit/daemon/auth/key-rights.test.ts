import { expect, test } from 'vitest'
import { type KeyWish, SERVICE_KEY } from '../../../../daemon/auth/key-record.ts'
import { refuseBeyond, rightsOf } from '../../../../daemon/auth/key-rights.ts'
import { ANYBODY, type Principal } from '../../../../daemon/auth/principal.ts'
import type { UserRecord } from '../../../../daemon/auth/users.ts'
import type { Role } from '../../../../schemas/words/roles.ts'
import type { Scope } from '../../../../schemas/words/scopes.ts'

const maker = (scopes: readonly Scope[], more: Partial<Principal> = {}): Principal => ({
  ...ANYBODY,
  scopes: new Set(scopes),
  ...more,
})
const owner = (role: Role) => ({ role }) as UserRecord
const LIMITED = { allowed: { models: ['local/*', 'gpt-5'], categories: ['code'] } }

test.each<{ what: string; wish: Partial<KeyWish>; by: Principal; of?: UserRecord; may: boolean }>([
  { what: 'an admin makes an admin', wish: { scopes: ['admin'] }, by: maker(['admin']), may: true },
  { what: 'a writer makes a writer', wish: { scopes: ['chat:write'] }, by: maker(['chat:write']), may: true },
  { what: 'a writer makes a reader', wish: { scopes: ['chat:read'] }, by: maker(['chat:write']), may: true },
  { what: 'a reader makes a writer', wish: { scopes: ['chat:write'] }, by: maker(['chat:read']), may: false },
  { what: 'a writer makes an admin', wish: { scopes: ['chat:write', 'admin'] }, by: maker(['chat:write']), may: false },
  { what: 'an admin makes an admin of a member', wish: {}, by: maker(['admin']), of: owner('member'), may: false },
  { what: 'an admin makes an admin of an admin', wish: {}, by: maker(['admin']), of: owner('admin'), may: true },
  { what: 'a key without models of its own', wish: {}, by: maker(['admin'], LIMITED), may: true },
  {
    what: 'a model that a pattern covers',
    wish: { allowed: { models: ['local/small', 'gpt-5'], categories: ['code'] } },
    by: maker(['admin'], LIMITED),
    may: true,
  },
  {
    what: 'a pattern that is wider',
    wish: { allowed: { models: ['loc*'], categories: [] } },
    by: maker(['admin'], LIMITED),
    may: false,
  },
  {
    what: 'another category',
    wish: { allowed: { models: [], categories: ['chat'] } },
    by: maker(['admin'], LIMITED),
    may: false,
  },
  {
    what: 'a writer whose word on users counts',
    wish: { scopes: ['chat:write'], namesUsers: true },
    by: maker(['chat:write']),
    may: false,
  },
])('S7: $what: $may', ({ wish, by, of = null, may }) => {
  const make = () => refuseBeyond({ ...SERVICE_KEY, name: 'one', scopes: ['admin'], ...wish }, by, of)
  if (may) expect(make).not.toThrow()
  else expect(make).toThrow(expect.objectContaining({ code: 'BEYOND_MAKER' }))
})

test.each([
  { what: 'what its maker is bound to', above: 'a', own: null, node: 'a' },
  { what: 'what its maker is bound to, whatever it says itself', above: 'a', own: 'b', node: 'a' },
  { what: 'what it says itself', above: null, own: 'b', node: 'b' },
])('a key that another one made is bound to $what', ({ above, own, node }) => {
  const record = {
    ...SERVICE_KEY,
    scopes: ['admin' as const],
    hash: '',
    createdAt: 0,
    disabledAt: null,
    revokedAt: null,
  }
  const made = { ...record, name: 'made', id: 'made', maker: { kind: 'key' as const, id: 'maker' }, node: own }
  const makers = { user: () => undefined, key: () => ({ ...record, name: 'maker', id: 'maker', node: above }) }
  expect(rightsOf(made, makers)).toMatchObject({ node })
})
