import { createHmac } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import type { RaisedAlert } from '../../daemon/alerts/message.ts'
import { startDaemon, until } from '../support/daemon.ts'
import { sendJson, startFakeUpstream } from '../support/fake-upstream.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

// Alerts of the real daemon, as a webhook gets them.

const TOKEN = 'a-system-token-for-tests'
const SECRET = 'a secret of sixteen'
const HEADERS = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
const PRICES = [{ model: 'm', input: 1_000_000_000, output: 1_000_000_000 }]

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A daemon whose declared layer and credentials are as the compiler makes them, and what its webhook was told. */
async function start(env: Readonly<Record<string, string>> = {}) {
  const hook = await startFakeUpstream((_, response) => sendJson(response, 200, {}))
  closing.push(hook.close)
  const upstream = await startFakeUpstream((_, response) => {
    const choices = [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }]
    // 10 tokens of 1 000 micro-dollars
    const usage = { prompt_tokens: 0, completion_tokens: 10, total_tokens: 10 }
    sendJson(response, 200, { id: 'x', object: 'chat.completion', created: 1, model: 'm', choices, usage })
  })
  closing.push(upstream.close)
  const place = temporaryDirectory()
  closing.push(place.remove)
  const credentials = place.file('credentials')
  mkdirSync(credentials)
  place.write('credentials/alerts.ops.url', hook.url)
  place.write('credentials/alerts.ops.secret', SECRET)
  const box = { provider: 'custom', base_url: upstream.url, models: ['m'], prices: PRICES }
  const declared = {
    upstreams: { box },
    budgets: { team: { limit: '0.20 USD', window: 'month' } },
    alerts: { ops: { kind: 'webhook', events: ['budget', 'break-glass'] } },
  }
  place.write('declared.json', JSON.stringify(declared))
  const daemon = await startDaemon(
    { GATE_AUTH__TOKEN: TOKEN, GATE_LOG__LEVEL: 'error', CREDENTIALS_DIRECTORY: credentials, ...env },
    place.path,
  )
  closing.push(daemon.kill)
  const told = () =>
    hook.seen.map(({ headers, body }) => {
      const [, seconds = '', hex] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-gate-signature'])) ?? []
      expect(hex).toBe(createHmac('sha256', SECRET).update(`${seconds}.${body}`).digest('hex'))
      return JSON.parse(body) as RaisedAlert
    })
  return { daemon, told }
}

test('a budget is told of at 75, 95 and 100 %, and again once it has a higher limit', async () => {
  const { daemon, told } = await start()
  const ask = async () => {
    const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }], max_tokens: 10 })
    const { status } = await fetch(`${daemon.url}/v1/chat/completions`, { method: 'POST', headers: HEADERS, body })
    return status
  }
  for (let n = 0; n < 20; n += 1) expect(await ask()).toBe(200)
  expect(await ask()).toBe(429)
  await until(() => told().length >= 3)
  const shares = () => told().map(({ event, subject, severity, message }) => [event, subject, severity, message])
  const of = (percent: number, severity: string, amounts: string) => [
    'budget',
    'team',
    severity,
    expect.stringMatching(new RegExp(`^${percent} % of budget "team" are spent: ${amounts}; it begins anew at `)),
  ]
  const first = [
    of(75, 'warning', '0.15 USD of 0.20 USD'),
    of(95, 'warning', '0.19 USD of 0.20 USD'),
    of(100, 'critical', '0.20 USD of 0.20 USD'),
  ]
  expect(shares()).toEqual(first)
  const refilled = await fetch(`${daemon.url}/api/admin/budgets/team/refill`, {
    method: 'POST',
    headers: HEADERS,
    body: JSON.stringify({ amount: '0.01 USD' }),
  })
  expect(refilled.status).toBe(200)
  expect(await ask()).toBe(200)
  await until(() => told().length >= 4)
  expect(shares()).toEqual([...first, of(100, 'critical', '0.21 USD of 0.21 USD')])
}, 60_000)

test('the emergency account is told of: once refused, once let in', async () => {
  const { daemon, told } = await start({
    BREAK_GLASS: 'true',
    BOOTSTRAP_USER: 'admin',
    BOOTSTRAP_PASSWORD: 'changeme',
  })
  const use = async (password: string) => {
    const headers = { authorization: `Basic ${btoa(`admin:${password}`)}` }
    return (await fetch(`${daemon.url}/api/admin/idps`, { headers })).status
  }
  expect([await use('changeyou'), await use('changeme'), await use('changeme')]).toEqual([401, 200, 200])
  await until(() => told().length >= 2)
  expect(told().map(({ event, severity, message }) => [event, severity, message])).toEqual([
    ['break-glass', 'critical', 'the emergency account was tried in vain from 127.0.0.1'],
    ['break-glass', 'critical', 'the emergency account was used from 127.0.0.1'],
  ])
}, 60_000)
