import { afterEach, expect, test } from 'vitest'
import { explained } from '../../../../daemon/upstream/connector.ts'
import { chatBody } from '../../../support/chat.ts'
import { until } from '../../../support/daemon.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { completion, type FakeUpstream, sendJson, startFakeUpstream } from '../../../support/fake-upstream.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

test('B12: a connection too many is refused by Gate itself, and the upstream is asked again when there is room', async () => {
  const waiting: (() => void)[] = []
  const upstream: FakeUpstream = await startFakeUpstream((_, response) => {
    waiting.push(() => sendJson(response, 200, completion('hi')))
  })
  const plane = await startDataPlane(
    { upstreams: { mock: { provider: 'custom', base_url: upstream.url, models: ['mock'] } } },
    { mostConnections: 2 },
  )
  closing.push(upstream.close, plane.stop)
  const ask = () =>
    fetch(`${plane.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: chatBody('x', { model: 'mock' }),
    })
  const first = [ask(), ask()]
  await until(() => waiting.length === 2)
  const refused = await ask()
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await refused.json()).toMatchObject({ error: { code: 'overloaded' } })
  for (const answer of waiting.splice(0)) answer()
  expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200])
  const again = ask()
  await until(() => waiting.length === 1) // over a connection that was kept: the target did not have to rest
  waiting[0]?.()
  expect((await again).status).toBe(200)
})

test.each([
  ['EHOSTUNREACH', true],
  ['EACCES', true],
  ['EPERM', true],
  ['ECONNREFUSED', false],
  ['ETIMEDOUT', false],
])('a connection that ends with %s names the key that opens the way: %s', (code, isNamed) => {
  const single = Object.assign(new Error(`connect ${code} 10.0.0.9:80`), { code })
  const both = Object.assign(new AggregateError([single]), { code })
  for (const error of [single, both]) {
    const { message, cause } = explained(error)
    expect(message.includes('(gate.network.allow)')).toBe(isNamed)
    if (isNamed)
      expect({ message, cause }).toMatchObject({ message: expect.stringContaining('10.0.0.9:80'), cause: error })
    expect(explained(error)).toMatchObject({ code })
  }
})
