import { expect, test } from 'vitest'
import { configKeys } from '../../../config/key-set.ts'
import { shown } from '../../../config/shown.ts'
import { nodeAt } from '../../../schemas/config/keys.ts'

const fingerprint = (secret: string) => `of ${secret.length}`

test.each([
  { name: 'a key that a program made', key: 'upstreams.x.api_key', value: 'sk-proj-a81Kq0ZxV7tLw2Yb', isTold: true },
  { name: 'a short one', key: 'upstreams.x.api_key', value: 'a81Kq0ZxV7tLw2Yb', isTold: false },
  { name: 'a sentence', key: 'upstreams.x.api_key', value: 'correct horse 1 battery staple', isTold: false },
  { name: 'the same over and over', key: 'upstreams.x.api_key', value: 'abc123abc123abc123abc123', isTold: false },
  { name: 'no digit', key: 'upstreams.x.api_key', value: 'correct-horse-battery-staple', isTold: false },
  { name: 'a password', key: 'auth.bootstrap.password', value: 'a81Kq0ZxV7tLw2Yba81Kq0ZxV7', isTold: false },
  { name: 'a passphrase', key: 'secrets.encryption_key', value: 'a81Kq0ZxV7tLw2Yba81Kq0ZxV7', isTold: false },
])('of $name: a fingerprint is shown is $isTold, the text never', ({ key, value, isTold }) => {
  const node = nodeAt(configKeys().tree, key.split('.'))
  expect(shown(node, value, fingerprint)).toEqual(
    isTold ? { secret: true, fingerprint: `of ${value.length}` } : { secret: true },
  )
  expect(shown(node, value)).toEqual({ secret: true })
})
