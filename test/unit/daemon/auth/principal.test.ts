import { expect, test } from 'vitest'
import { ANYBODY, requireScope, SYSTEM } from '../../../../daemon/auth/principal.ts'
import { SCOPES, type Scope } from '../../../../schemas/words/scopes.ts'

test.each<{ name: string; has: readonly Scope[]; wants: Scope; may: boolean }>([
  { name: 'a reader does not write', has: ['chat:read'], wants: 'chat:write', may: false },
  { name: 'a reader reads', has: ['chat:read'], wants: 'chat:read', may: true },
  { name: 'who asks a model lists the models', has: ['chat:write'], wants: 'chat:read', may: true },
  { name: 'who asks a model reads no configuration', has: ['chat:write'], wants: 'config:read', may: false },
  { name: 'an admin does everything', has: ['admin'], wants: 'chat:write', may: true },
  { name: 'nothing is nothing', has: [], wants: 'chat:read', may: false },
])('$name', ({ has, wants, may }) => {
  const ask = () => requireScope({ ...ANYBODY, name: 'one', scopes: new Set(has) }, wants)
  if (may) expect(ask).not.toThrow()
  else expect(ask).toThrow(expect.objectContaining({ code: 'MISSING_SCOPE' }))
})

test.each(SCOPES)('the system key may do %s', (scope) => {
  expect(() => requireScope(SYSTEM, scope)).not.toThrow()
})
