import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { Answer } from '../../../../daemon/gateway/answer.ts'
import { type Client, Recording } from '../../../../daemon/gateway/recording.ts'
import { openAiChat } from '../../../../daemon/translate/openai-chat/dialect.ts'
import { GateError } from '../../../../schemas/words/errors.ts'

const closing: (() => void)[] = []
afterEach(() => {
  vi.useRealTimers()
  for (const close of closing.splice(0)) close()
})

/** A real answer over a real socket, and what its client has seen. */
async function open() {
  const arrived = Promise.withResolvers<ServerResponse>()
  const server = createServer((_, response) => arrived.resolve(response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = request({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false })
  const answered = new Promise<IncomingMessage>((resolve) => client.once('response', resolve))
  client.on('error', () => {})
  client.end()
  closing.push(() => {
    client.destroy()
    server.closeAllConnections()
    server.close()
  })
  const answer = new Answer(await arrived.promise, 'req_1', openAiChat, 60_000)
  const text = async () => {
    const response = await answered
    let all = ''
    try {
      for await (const chunk of response) all += chunk
    } catch {
      all += '<cut>'
    }
    return { status: response.statusCode, headers: response.headers, text: all }
  }
  return { answer, client, text }
}

const error = new GateError('BACKEND_BUSY', 'busy', { retryAfterS: 3 })

test('nothing is sent before there is something to say; then a failure is a status', async () => {
  const { answer, text } = await open()
  expect(answer.started()).toBe(false)
  answer.fail(error)
  const seen = await text()
  expect(seen).toMatchObject({ status: 503, headers: { 'retry-after': '3', 'x-request-id': 'req_1' } })
  expect(JSON.parse(seen.text)).toMatchObject({ error: { code: 'backend_busy', type: 'server_error' } })
})

test.each([
  { name: 'between two frames', fed: 'data: {}\n\n', says: '"code":"backend_busy"' },
  { name: 'in the middle of a frame', fed: 'data: {', says: '"code":"backend_busy"' },
  { name: 'in the middle of a long frame', fed: `data: {"x":"${'y'.repeat(100_000)}`, says: '<cut>' },
])('a failure $name of a stream that has begun is told so that it can be read', async ({ fed, says }) => {
  const { answer, text } = await open()
  answer.watch = openAiChat.watch()
  answer.start(200, { 'content-type': 'text/event-stream' })
  answer.write(answer.watch.feed(Buffer.from(fed)))
  answer.fail(error)
  expect((await text()).text.slice(-100)).toContain(says)
})

test('an answer that is recorded waits for a slow client as long as that takes', async () => {
  const { answer } = await open()
  const recording = new Recording(null, { maxBytes: 10, aloneMs: 1_000 }, () => {})
  answer.detach(recording)
  const nothing = () => {}
  const slow: Client = {
    started: () => true,
    write: () => false,
    start: nothing,
    onDrain: nothing,
    onGone: nothing,
    finish: nothing,
    abandon: nothing,
  }
  void recording.follow(slow, 0)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  answer.start(200, {})
  expect(answer.write(Buffer.alloc(100_000))).toBe(false)
  answer.onDrain(nothing)
  vi.advanceTimersByTime(3_600_000)
  expect([recording.isOver(), answer.isGone()]).toEqual([false, false])
})

test('a stream that stays silent is begun after 10 s, and pinged every 15 s', async () => {
  const { answer, text } = await open()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  answer.keepAlive()
  vi.advanceTimersByTime(9_999)
  expect(answer.started()).toBe(false)
  vi.advanceTimersByTime(1)
  expect(answer.status()).toBe(200)
  vi.advanceTimersByTime(31_000)
  answer.end(200, {}, Buffer.from('data: x\n\n'))
  const seen = await text()
  expect(seen.headers['content-type']).toBe('text/event-stream; charset=utf-8')
  expect(seen.text).toMatch(/^(?:: ping\n\n){2,3}data: x\n\n$/)
})

test.each([
  { name: 'waits until it is whole', begun: 'data: {"x":"', pings: ': ping\n\n'.repeat(4) },
  { name: 'that is long has begun', begun: `data: {"x":"${'y'.repeat(100_000)}`, pings: '' },
])('no ping goes into the middle of a frame: one that $name', async ({ begun, pings }) => {
  const { answer, text } = await open()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  answer.keepAlive()
  answer.watch = openAiChat.watch()
  answer.start(200, { 'content-type': 'text/event-stream' })
  const first = answer.watch.feed(Buffer.from(begun))
  if (first.length > 0) answer.write(first)
  vi.advanceTimersByTime(60_000)
  answer.end(200, {}, answer.watch.feed(Buffer.from('"}\n\n')))
  expect((await text()).text).toBe(`${pings}${begun}"}\n\n`)
})

test('what belongs to the connection of the upstream stays there', async () => {
  const { answer, text } = await open()
  answer.end(200, { 'set-cookie': ['a=b'], server: 'x', 'x-kept': ['1', '2'], connection: 'close' }, Buffer.from('ok'))
  const { headers } = await text()
  expect(headers).toMatchObject({ 'x-kept': '1, 2', 'content-length': '2' })
  expect(headers).not.toHaveProperty('set-cookie')
  expect(headers).not.toHaveProperty('server')
})

test.each([
  { name: 'its own', own: ['a'], theirs: undefined, told: 'a' },
  { name: 'those of a gateway after it', own: [], theirs: 'b, c', told: 'b, c' },
  { name: 'both', own: ['a'], theirs: 'b', told: 'a, b' },
  { name: 'no text that is no name', own: [], theirs: 'b, <c>', told: 'b, ?' },
])('the fields that were left out are told once: $name', async ({ own, theirs, told }) => {
  const { answer, text } = await open()
  answer.progress.dropped = own
  answer.end(200, theirs === undefined ? {} : { 'x-gate-dropped': theirs }, Buffer.from('{}'))
  expect((await text()).headers['x-gate-dropped']).toBe(told)
})

test.each([
  { name: 'B12: one name', connection: 'x-hop' },
  { name: 'several, in any case', connection: 'Keep-Alive, X-Hop ,x-other' },
])("headers that an upstream's Connection names stay there: $name", async ({ connection }) => {
  const { answer, text } = await open()
  answer.end(200, { connection, 'x-hop': '1', 'x-kept': '1' }, Buffer.from('ok'))
  const { headers } = await text()
  expect(headers).not.toHaveProperty('x-hop')
  expect(headers).toMatchObject({ 'x-kept': '1' })
})

test.each([
  { name: 'leaves', leave: (client: { destroy: () => void }) => client.destroy(), isGone: true },
  { name: 'stays to the end', leave: () => {}, isGone: false },
])('a client that $name is told from others', async ({ leave, isGone }) => {
  const { answer, client, text } = await open()
  const gone = vi.fn()
  answer.onGone(gone)
  leave(client)
  if (isGone) await vi.waitUntil(() => answer.isGone(), { timeout: 15_000 })
  else {
    answer.end(200, {}, Buffer.from('ok'))
    await text()
  }
  expect(gone).toHaveBeenCalledTimes(isGone ? 1 : 0)
  if (isGone) answer.onGone(gone) // too late: at once
  expect(gone).toHaveBeenCalledTimes(isGone ? 2 : 0)
})

test('what comes after the end of an answer is not said', async () => {
  const { answer, text } = await open()
  answer.watch = openAiChat.watch()
  answer.start(200, { 'content-type': 'text/event-stream' })
  answer.finish()
  answer.finish()
  answer.fail(error)
  answer.cutOff(error)
  expect(await text()).toMatchObject({ status: 200, text: '' })
})
