import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chatBody } from '../support/chat.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'

const CANARY = 'canary-4f1c9e'
let gate: Daemon
beforeAll(async () => {
  gate = await startDaemon({ GATE_USAGE__KEEP_TEXT__MODELS: '["echo"]' })
})
afterAll(async () => {
  await gate?.stop()
  gate?.remove()
})

const headers = () => ({ authorization: `Bearer ${gate.key}`, 'content-type': 'application/json' })
async function ask(model: string, stream: boolean): Promise<string> {
  const body = chatBody(CANARY, { model, stream })
  const response = await fetch(`${gate.url}/v1/chat/completions`, { method: 'POST', headers: headers(), body })
  await response.text()
  return response.headers.get('x-request-id') ?? ''
}
const read = async (id: string, key = gate.key) => {
  const response = await fetch(`${gate.url}/api/admin/texts/${id}`, { headers: { authorization: `Bearer ${key}` } })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
const ctl = (...args: string[]): string =>
  execFileSync(process.execPath, [join(import.meta.dirname, '../../bin/gatectl.ts'), ...args], {
    env: { PATH: process.env['PATH'], GATE_ADMIN_SOCKET: join(gate.stateDirectory, 'admin.sock') },
    encoding: 'utf8',
  })

test.each([false, true])(
  'what is asked and answered is kept where that is switched on (stream: %s)',
  async (stream) => {
    const id = await ask('echo', stream)
    const { status, body } = await read(id)
    expect(status).toBe(200)
    expect(body).toMatchObject({ request_id: id, model: 'echo', cut_bytes: 0 })
    expect(JSON.parse(String(body['prompt']))).toMatchObject({ messages: [{ content: CANARY }] })
    expect(String(body['answer'])).toContain(stream ? 'data: [DONE]' : CANARY)
    expect(ctl('usage', 'text', id)).toContain(CANARY)
  },
)

test('nothing of it is readable on the disk, in the log or the audit, which names who has read it', async () => {
  const id = await ask('echo', false)
  await read(id)
  for (const name of readdirSync(gate.stateDirectory, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue
    expect(readFileSync(join(name.parentPath, name.name)).includes(CANARY), name.name).toBe(false)
  }
  expect(gate.output()).not.toContain(CANARY)
  const audit = ctl('audit', '--json')
  expect(audit).toContain(`"action":"text.read","object":"request:${id}"`)
  expect(audit).not.toContain(CANARY)
})

test('what another model was asked is not kept', async () => {
  const id = await ask('echo/echo', false)
  expect(await read(id)).toMatchObject({ status: 404, body: { code: 'TEXT_NOT_FOUND' } })
})

test.each(['hour', 'day', 'week', 'month'])(
  'GET /api/user/usage?period=%s reports what the caller has used',
  async (period) => {
    await ask('echo', false)
    const used = async (path: string, key: string) => {
      const response = await fetch(`${gate.url}${path}`, { headers: { authorization: `Bearer ${key}` } })
      return {
        status: response.status,
        body: (await response.json()) as { total: { requests: number }; series: object[] },
      }
    }
    const mine = await used(`/api/user/usage?period=${period}`, gate.key)
    expect(mine.status).toBe(200)
    expect(mine.body.total.requests).toBeGreaterThan(0)
    expect(mine.body.series.length).toBeGreaterThan(11)
    const { token } = JSON.parse(ctl('token', 'create', '--json', '--name', period, '--scopes', 'chat:read')) as {
      token: string
    }
    expect((await used(`/api/user/usage?period=${period}`, token)).body.total.requests).toBe(0)
    expect((await used('/api/admin/usage', token)).status).toBe(403)
    expect((await used('/api/user/usage?period=year', token)).status).toBe(400)
  },
)
