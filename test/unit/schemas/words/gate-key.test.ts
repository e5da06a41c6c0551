import { expect, test } from 'vitest'
import { createTokens } from '../../../../daemon/auth/tokens.ts'
import { GateError } from '../../../../schemas/words/errors.ts'
import { withoutKeys } from '../../../../schemas/words/gate-key.ts'
import { NO_STORED_KEYS } from '../../../support/no-stored-keys.ts'

const { token } = createTokens(NO_STORED_KEYS, () => 1).create('k', [], null)

test.each([
  { name: 'a path', text: `/v1/models/${token}`, shown: '/v1/models/gate_[redacted]' },
  { name: 'one with an escaped low line', text: `/v1/${token.replace('_', '%5F')}/x`, shown: '/v1/gate_[redacted]/x' },
  { name: 'two', text: `${token} and ${token}`, shown: 'gate_[redacted] and gate_[redacted]' },
  { name: 'one behind another prefix', text: `sk-${token}`, shown: 'sk-gate_[redacted]' },
  { name: 'one that was cut', text: `/v1/models/${token.slice(0, 40)}`, shown: '/v1/models/gate_[redacted]' },
  {
    name: 'the name of a metric',
    text: 'gate_cost_microdollars_total is not a key, and this is a long text',
    shown: null,
  },
  { name: 'the name of a header', text: '/v1/models/gate and nothing that looks like one of the keys', shown: null },
])('what is shown of $name', ({ text, shown }) => {
  expect(withoutKeys(text)).toBe(shown ?? text)
  const error = new GateError('UNKNOWN_ROUTE', `no route GET ${text}`)
  for (const said of [error.message, error.logged]) expect(said).toBe(`no route GET ${shown ?? text}`)
})
