import { expect, test } from 'vitest'
import { AdminError } from '../../../../daemon/admin/error.ts'
import { secretsRoutes } from '../../../../daemon/admin/routes/secrets.ts'
import { SOCKET_PRINCIPAL } from '../../../../daemon/admin/socket-principal.ts'
import { createRotation } from '../../../../daemon/assembly/rotation.ts'
import type { SecretsStatus } from '../../../../schemas/api/secrets.ts'
import { secretsStatus } from '../../../../schemas/api/secrets.ts'
import { keyringOf } from '../../../support/keyring.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const call = {
  principal: SOCKET_PRINCIPAL,
  params: {},
  query: undefined,
  body: undefined,
  headers: {},
  caller: { address: null, via: 'socket', name: 'root', secured: false },
  signal: new AbortController().signal,
} as const

test('a rotation over the API is audited by the ids of the keys, and shows no key', async () => {
  const place = temporaryDirectory()
  const rotation = createRotation(keyringOf(place.path), [], () => {})
  const [status, rotate] = secretsRoutes({ secrets: rotation })
  const before = await status?.handle(call)
  const reply = await rotate?.handle(call)
  await rotation.stop()
  const [old, next] = [before, reply].map((each) => {
    const value = each?.kind === 'json' ? each.value : null
    return secretsStatus.parse(value).keys.at(-1)?.id
  })
  expect(old).not.toBe(next)
  expect(reply?.change).toEqual({ object: 'keyring', old: { key: old }, new: { key: next } })
  place.remove()
})

test('a keyring that does not open is said, with what to do', () => {
  const fail = (): SecretsStatus => {
    throw new Error('keyring.json opens with another key; set secrets.encryption_key')
  }
  for (const route of secretsRoutes({ secrets: { status: fail, rotate: fail } })) {
    expect(() => route.handle(call)).toThrow(AdminError)
    expect(() => route.handle(call)).toThrow('set secrets.encryption_key')
    try {
      void route.handle(call)
    } catch (error) {
      expect(error).toMatchObject({ code: 'KEYRING_CLOSED' })
    }
  }
})
