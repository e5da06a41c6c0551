import { expect, test } from 'vitest'
import { bindsKeys, requireBounds } from '../../../../schemas/words/bounds.ts'

const THERE = { budgets: { own: { scope: 'attached' } }, limits: { slow: { scope: 'attached' } } }

test.each([
  { bounds: { budgets: [], limits: [] }, missing: null },
  { bounds: { budgets: ['own'], limits: ['slow'] }, missing: null },
  { bounds: { budgets: ['own', 'gone'], limits: [] }, missing: 'budget "gone"' },
  { bounds: { budgets: [], limits: ['own'] }, missing: 'limit "own"' },
  { bounds: { budgets: ['constructor'], limits: [] }, missing: 'budget "constructor"' },
])('a key with $bounds lacks $missing', ({ bounds, missing }) => {
  if (missing === null) requireBounds(bounds, THERE)
  else {
    const refused = expect.objectContaining({ code: 'BOUND_MISSING', message: expect.stringContaining(missing) })
    expect(() => requireBounds(bounds, THERE)).toThrow(refused)
  }
})

test.each([
  ['attached', true],
  ['global', true],
  ['each-key', true],
  ['each-user', false],
  ['each-team', false],
  ['each-model', false],
  ['each-provider', false],
  ['each-ip', false],
  ['key:k', false],
  ['team:red', false],
  ['model:m', false],
])('whether the scope %s counts each key that names it: %s', (scope, binds) => {
  expect(bindsKeys(scope)).toBe(binds)
})
