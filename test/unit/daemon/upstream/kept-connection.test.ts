import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { chatBody } from '../../../support/chat.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { completion, sendJson } from '../../../support/fake-upstream.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** Two requests in turn. @param second what the upstream does with each that comes after the first */
async function statusesWhen(second: (response: ServerResponse) => void) {
  let count = 0
  const server = createServer((request, response) => {
    request.resume()
    count += 1
    if (count === 1) sendJson(response, 200, completion('first'))
    else second(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  const plane = await startDataPlane({ upstreams: { mock: { provider: 'custom', base_url, models: ['m'] } } })
  closing.push(plane.stop, () => server.close())
  const ask = async () => {
    const response = await fetch(`${plane.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: chatBody('x', { model: 'm' }),
    })
    await response.arrayBuffer()
    return response.status
  }
  return { statuses: [await ask(), await ask()], requests: count, rows: plane.rows }
}

const cut = (response: ServerResponse) => void response.destroy()

test('B11: a kept connection that is closed as the next request starts costs nobody an answer', async () => {
  let isFirst = true
  const seen = await statusesWhen((response) => {
    if (isFirst) cut(response)
    else sendJson(response, 200, completion('again'))
    isFirst = false
  })
  expect(seen).toMatchObject({ statuses: [200, 200], requests: 3 })
  expect(seen.rows.map(({ outcome }) => outcome)).toEqual(['ok', 'ok'])
})

test('B11: a new connection that is closed, too, is not followed by a third', async () => {
  expect(await statusesWhen(cut)).toMatchObject({ statuses: [200, 502], requests: 3 })
})

test('B11: what has begun to be answered is not sent again', async () => {
  const seen = await statusesWhen((response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('x', () => response.destroy())
  })
  expect(seen).toMatchObject({ statuses: [200, 502], requests: 2 })
})
