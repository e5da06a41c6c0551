import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Alert } from '../../../../daemon/alerts/alert.ts'
import { createAlerts } from '../../../../daemon/alerts/alerts.ts'
import type { AlertDestination } from '../../../../daemon/alerts/message.ts'
import type { Post } from '../../../../daemon/alerts/outbox.ts'
import { post } from '../../../../daemon/alerts/post.ts'
import { watch } from '../../../../daemon/alerts/watch.ts'

const SECRET = 'a secret of sixteen'
const WEBHOOK: AlertDestination = { kind: 'webhook', url: 'http://127.0.0.1:1/', secret: SECRET, events: [] }
const ALERT: Alert = {
  event: 'budget',
  subject: 'team',
  state: 'on',
  level: '75',
  severity: 'warning',
  message: 'budget team has spent 75 %',
}
const logged: unknown[][] = []
const alertsTo = (send: Post, destination: AlertDestination = WEBHOOK) => {
  const log = (...all: unknown[]) => void logged.push(all)
  const alerts = createAlerts({ log, post: send, now: () => 5_000, random: () => 0 })
  alerts.apply({ ops: destination })
  return alerts
}
beforeEach(() => {
  logged.length = 0
})
afterEach(() => {
  vi.useRealTimers()
})

let server: Server | null = null
afterEach(async () => {
  const open = server
  server = null
  if (open !== null) await new Promise((resolve) => open.close(resolve))
})

/** A real receiver. */
async function receiver(status = 200, location = '') {
  const received: { readonly headers: IncomingMessage['headers']; readonly body: string }[] = []
  let arrived = () => {}
  const made = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      received.push({ headers: request.headers, body })
      response.writeHead(status, location === '' ? {} : { location }).end()
      arrived()
    })
  })
  server = made
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  const { port } = made.address() as AddressInfo
  const next = () =>
    new Promise<void>((resolve) => {
      arrived = resolve
    })
  return { url: `http://127.0.0.1:${port}/hook`, received, next }
}

test('a webhook gets JSON whose signature its receiver can check', async () => {
  const { url, received, next } = await receiver()
  const alerts = alertsTo(post, { ...WEBHOOK, url })
  const arrival = next()
  alerts.tell(ALERT)
  await arrival
  await alerts.stop()
  const [{ headers, body } = { headers: {}, body: '' }] = received
  expect(JSON.parse(body)).toEqual({ at: '1970-01-01T00:00:05.000Z', ...ALERT })
  const hex = createHmac('sha256', SECRET).update(`5.${body}`).digest('hex')
  expect(headers['x-gate-signature']).toBe(`t=5,v1=${hex}`)
})

test('ntfy gets a message, with a title, a priority and its token', async () => {
  const { url, received, next } = await receiver()
  const alerts = alertsTo(post, { kind: 'ntfy', url, token: 'tk_1', events: [] })
  const arrival = next()
  alerts.tell({ ...ALERT, severity: 'critical' })
  await arrival
  await alerts.stop()
  expect(received[0]).toMatchObject({
    body: ALERT.message,
    headers: { title: 'Gate: budget', priority: '5', authorization: 'Bearer tk_1' },
  })
})

test('only what is new is told: another level, the end, and what has no end', async () => {
  const told: string[] = []
  const alerts = alertsTo((_url, { body }) => {
    const { state, level, event } = JSON.parse(body) as Alert
    told.push(`${event} ${state} ${level}`)
    return Promise.resolve(204)
  })
  const all = [ALERT, ALERT, { ...ALERT, level: '95' }, { ...ALERT, state: 'over' }, { ...ALERT, state: 'over' }, ALERT]
  for (const alert of all) alerts.tell(alert as Alert)
  for (let n = 0; n < 2; n += 1) alerts.tell({ ...ALERT, event: 'break-glass', state: 'once', level: '' })
  await vi.waitFor(() => expect(told.length).toBe(6))
  expect(told).toEqual([
    'budget on 75',
    'budget on 95',
    'budget over 75',
    'budget on 75',
    'break-glass once ',
    'break-glass once ',
  ])
  await alerts.stop()
})

test('however many subjects one event has, all are told, and those of others stay known', async () => {
  const alerts = alertsTo(() => Promise.resolve(204))
  const disk: Alert = { ...ALERT, event: 'disk', subject: 'state', level: '' }
  alerts.tell(disk)
  for (let n = 0; n < 10_001; n += 1) alerts.tell({ ...ALERT, subject: `key-${n}` })
  alerts.tell(disk)
  alerts.tell({ ...ALERT, subject: 'key-10000' })
  expect(logged.length).toBe(1 + 10_001)
  alerts.tell({ ...ALERT, subject: 'key-0' }) // forgotten, so told again
  expect(logged.length).toBe(1 + 10_002)
  await alerts.stop()
})

test('what fails is tried again, longer and longer apart, and holds up nothing; what waits is bounded', async () => {
  vi.useFakeTimers()
  const told: string[] = []
  let isDown = true
  const alerts = alertsTo((_url, { body }) => {
    if (isDown) return Promise.reject(new Error('the connection failed (ECONNREFUSED)'))
    told.push((JSON.parse(body) as Alert).subject)
    return Promise.resolve(200)
  })
  for (let n = 0; n < 500; n += 1) alerts.tell({ ...ALERT, subject: `team${n}` })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(told).toEqual([])
  isDown = false
  await vi.advanceTimersByTimeAsync(120_000)
  expect([told.length, told[0], told.at(-1)]).toEqual([100, 'team0', 'team499'])
  expect(logged.filter(([, message]) => String(message).includes('tried again')).length).toBe(1)
  await alerts.stop()
})

test('what is refused for what it is, is given up, and the log has neither URL nor secret', async () => {
  const alerts = alertsTo(() => Promise.resolve(410), { ...WEBHOOK, url: 'http://127.0.0.1:1/canary' })
  alerts.tell(ALERT)
  await vi.waitFor(() => expect(JSON.stringify(logged)).toContain('given up'))
  expect(JSON.stringify(logged)).not.toMatch(/canary|sixteen/)
  await alerts.stop()
})

test('a destination that wants some events gets these alone, and a changed one is another', async () => {
  const told: string[] = []
  const alerts = alertsTo(
    (url, { body }) => {
      told.push(`${url} ${(JSON.parse(body) as Alert).event}`)
      return Promise.resolve(200)
    },
    { ...WEBHOOK, events: ['disk'] },
  )
  alerts.tell(ALERT)
  alerts.tell({ ...ALERT, event: 'disk' })
  await vi.waitFor(() => expect(told).toEqual(['http://127.0.0.1:1/ disk']))
  alerts.apply({ ops: { ...WEBHOOK, url: 'http://127.0.0.1:2/' } })
  alerts.tell({ ...ALERT, level: '95' })
  await vi.waitFor(() => expect(told.at(-1)).toBe('http://127.0.0.1:2/ budget'))
  await alerts.stop()
})

test.each([
  'http://169.254.169.254/latest',
  'http://[fe80::1]/',
  'http://0.0.0.0:9/',
  'http://[::ffff:169.254.169.254]/',
  'http://224.0.0.1/',
  'http://[ff02::1]/',
])('never posts to %s', async (url) => {
  const message = { body: '', headers: {} }
  await expect(post(url, message, AbortSignal.timeout(5_000))).rejects.toThrow('not an address for alerts')
})

test('a redirect is not followed', async () => {
  const { url, received } = await receiver(302, 'http://169.254.169.254/')
  expect(await post(url, { body: '{}', headers: {} }, AbortSignal.timeout(5_000))).toBe(302)
  expect(received.length).toBe(1)
})

test('watches: quarantine, an upstream that stays down, a disk that is nearly full, and their ends', async () => {
  const told: string[] = []
  let state = 'quarantined'
  let up = 'down'
  let freeBytes = 10 * 2 ** 20
  const watching = watch({
    log: () => {},
    alert: (alert) => void told.push(`${alert.event} ${alert.subject} ${alert.state}`),
    backends: () => [{ name: 'vllm', state }],
    upstreams: () => [{ name: 'openai', state: up, last_error: 'connection refused' }],
    disk: () => Promise.resolve({ freeBytes, totalBytes: 2 ** 40 }),
  })
  for (let looks = 0; looks < 10; looks += 1) await watching.look()
  expect(told).toEqual(['backend vllm on', 'disk state on', 'upstream openai on'])
  told.length = 0
  state = 'ready'
  up = 'ready'
  freeBytes = 2 ** 39
  for (let looks = 0; looks < 3; looks += 1) await watching.look()
  expect(told).toEqual(['backend vllm over', 'upstream openai over', 'disk state over'])
  await watching.stop()
})
