import { connect, type Socket } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { sampled } from '../support/effort.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const TOKEN = 'a-system-token-for-tests'
const env = { GATE_AUTH__TOKEN: TOKEN, GATE_LOG__LEVEL: 'warn' }
const place = temporaryDirectory()
afterAll(() => place.remove())

async function ask({ url }: Daemon, method: string, path: string, body?: unknown) {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  const response = await fetch(url + path, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: response.status, value: (await response.json().catch(() => ({}))) as Record<string, unknown> }
}

const budget = (name: string, dollars: number) => ({ name, limit: `${dollars} USD`, window: 'day' })

test('two admins at once: each change that was confirmed is there, and none is half of one', async () => {
  const gate = await startDaemon(env)
  const admin = async (own: string) => {
    for (let n = 0; n < sampled(4, 100); n += 1) {
      const made = await ask(gate, 'POST', '/api/admin/budgets', budget(`${own}-${n}`, n + 1))
      expect(made.status).toBe(201)
      const shared = await ask(
        gate,
        n === 0 ? 'POST' : 'PATCH',
        '/api/admin/budgets'.concat(n === 0 ? '' : '/shared'),
        {
          ...(n === 0 ? { name: 'shared', window: 'day' } : { soft: own === 'a' }),
          limit: own === 'a' ? '10 USD' : '20 USD',
        },
      )
      expect([200, 201, 409, 404]).toContain(shared.status)
    }
  }
  await Promise.all([admin('a'), admin('b')])
  const { value } = await ask(gate, 'GET', '/api/admin/budgets')
  const budgets = value['budgets'] as { name: string; limit: string; soft: boolean }[]
  expect(budgets).toHaveLength(2 * sampled(4, 100) + 1)
  const shared = budgets.find(({ name }) => name === 'shared')
  expect([
    [expect.stringContaining('10'), true],
    [expect.stringContaining('20'), false],
  ]).toContainEqual([JSON.stringify(shared?.limit ?? shared), shared?.soft])
  const audited = await ask(gate, 'GET', '/api/admin/audit/verify')
  expect(audited.value).toMatchObject({ faults: [] })
  await gate.stop()
  gate.remove()
})

test('kill -9 while budgets are edited: what was confirmed is there after it, and the daemon starts', async () => {
  const state = place.file('state')
  const confirmed = new Map<string, number>()
  for (let round = 0; round < sampled(2, 50); round += 1) {
    const gate = await startDaemon(env, state)
    const { value } = await ask(gate, 'GET', '/api/admin/budgets')
    const names = (value['budgets'] as { name: string }[]).map(({ name }) => name)
    expect([...confirmed.keys()].filter((name) => !names.includes(name))).toEqual([])
    expect(gate.output()).not.toContain('problem')
    let isOn = true
    const editor = async (own: string) => {
      for (let n = 0; isOn; n += 1) {
        const name = `${own}-${round}-${n}`
        const { status } = await ask(gate, 'POST', '/api/admin/budgets', budget(name, n + 1))
        if (status === 201) confirmed.set(name, n + 1)
      }
    }
    const before = confirmed.size
    const editors = Promise.allSettled([editor('a'), editor('b')])
    while (confirmed.size < before + 3) await new Promise((resolve) => setImmediate(resolve))
    await gate.kill()
    isOn = false
    await editors
  }
  const gate = await startDaemon(env, state)
  for (const [name, dollars] of confirmed) {
    const { status, value } = await ask(gate, 'GET', `/api/admin/budgets/${name}`)
    expect([name, status, JSON.stringify(value)]).toEqual([name, 200, expect.stringContaining(String(dollars))])
  }
  expect((await ask(gate, 'GET', '/api/admin/audit/verify')).value).toMatchObject({ faults: [] })
  await gate.stop()
})

test('of one key eight may follow events; those that read nothing hold up no request, and go with the daemon', async () => {
  const gate = await startDaemon(env)
  const { hostname, port } = new URL(gate.url)
  const sockets: Socket[] = Array.from({ length: 40 }, () => {
    const socket = connect(Number(port), hostname)
    socket.pause()
    socket.on('error', () => {})
    socket.write(`GET /api/user/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`)
    return socket
  })
  const busy = async () => (await ask(gate, 'GET', '/api/admin/system')).value['requests_in_flight'] as number
  while ((await busy()) < 9) await new Promise((resolve) => setImmediate(resolve))
  expect((await ask(gate, 'GET', '/v1/models')).status).toBe(200)
  expect(await gate.stop()).toBe(0)
  for (const socket of sockets) socket.destroy()
  gate.remove()
})
