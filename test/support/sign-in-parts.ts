import { randomBytes } from 'node:crypto'
import type { ApiParts } from '../../daemon/admin/table.ts'
import { createDeviceGrants } from '../../daemon/auth/device/grants.ts'
import { createSignIns } from '../../daemon/auth/device/sign-ins.ts'
import { createProviders } from '../../daemon/auth/oidc/providers.ts'
import { createPasskeys } from '../../daemon/auth/passkey/passkeys.ts'

/** What the routes of the sign-in need, where nobody signs in: nothing is kept, no provider can be reached. */
export function signInParts(): ApiParts['signIn'] {
  const store = { all: () => [], put: () => {}, remove: () => {} }
  const nobody = { principalOf: () => null, emailOf: () => null }
  const refuse = () => Promise.reject(new Error('no provider is reached here'))
  const signing = { secret: 'a secret of the tests', issuer: 'gate' }
  return {
    providers: createProviders(store, []),
    relyingParty: { forget: () => {} },
    redirectUri: () => 'http://127.0.0.1/auth/callback',
    oidc: { begin: refuse, finish: refuse },
    letIn: () => [],
    grants: createDeviceGrants(randomBytes, Date.now),
    signIns: createSignIns(store, nobody, signing, Date.now),
    origin: () => 'http://127.0.0.1',
    exchange: () => ({ status: 400, body: { error: 'invalid_grant', error_description: '' } }),
    decide: () => {
      throw new Error('nobody decides here')
    },
    deviceWithCode: () => {
      throw new Error('nobody decides here')
    },
    passkeys: createPasskeys(
      store,
      () => 'http://127.0.0.1',
      Date.now,
      () => true,
    ),
    letsDevicesIn: () => true,
    takesProviders: () => true,
  }
}
