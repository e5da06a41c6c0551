import { afterEach, expect, test } from 'vitest'
import { chatBody } from '../../../support/chat.ts'
import { until } from '../../../support/daemon.ts'
import { startDataPlane } from '../../../support/data-plane.ts'
import { frame, STREAM_HEADERS, startFakeUpstream } from '../../../support/fake-upstream.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A plane before an upstream that begins its streams and never ends them. */
async function streaming() {
  const upstream = await startFakeUpstream((_, response) => {
    response.writeHead(200, STREAM_HEADERS)
    response.write(frame({ content: 'first' }))
  })
  const plane = await startDataPlane({
    upstreams: { mock: { provider: 'custom', base_url: upstream.url, models: ['mock'] } },
  })
  closing.push(upstream.close, plane.stop)
  const begin = async (key: string) => {
    const response = await fetch(`${plane.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: chatBody('x', { model: 'mock', stream: true }),
    })
    const reader = response.body?.getReader()
    if (reader === undefined) throw new Error('no body')
    const first = Buffer.from((await reader.read()).value ?? '').toString()
    const rest = async () => {
      let text = ''
      for (let part = await reader.read(); !part.done; part = await reader.read())
        text += Buffer.from(part.value).toString()
      return text
    }
    return { first, rest, cancel: () => reader.cancel() }
  }
  return { upstream, plane, begin }
}

test.each([
  { name: 'expires', why: 'the key has expired' },
  { name: 'is revoked', why: 'the key was revoked' },
])('B14: a key that $name in mid-stream ends its streams with the reason, and no other', async ({ name, why }) => {
  const { upstream, plane, begin } = await streaming()
  let expiresAt: number | null = null
  if (name === 'expires') expiresAt = Date.now() + 60_000
  const guest = plane.tokens.create('guest', ['chat:write'], expiresAt)
  const other = plane.tokens.create('other', ['chat:write'], null)
  const streams = [await begin(guest.token), await begin(guest.token), await begin(other.token)] as const
  expect(streams[0].first).toContain('first')
  if (name === 'expires') plane.passTime(60_000)
  else plane.tokens.revoke(guest.record.id)
  plane.tokens.endExpired()
  for (const stream of streams.slice(0, 2)) {
    const [frame = ''] = (await stream.rest()).split('\n\n')
    expect(JSON.parse(frame.replace('data: ', ''))).toMatchObject({ error: { code: 'invalid_key', message: why } })
  }
  await until(() => upstream.seen.filter(({ aborted }) => aborted).length === 2)
  expect(plane.clients.count()).toBe(1)
  expect(plane.rows.map(({ outcome }) => outcome)).toEqual(['cancelled', 'cancelled'])
  await streams[2].cancel()
})
