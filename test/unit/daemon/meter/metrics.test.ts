import { afterEach, beforeEach, expect, test } from 'vitest'
import { createMetrics, type Metrics } from '../../../../daemon/meter/metrics.ts'
import type { UsageRow } from '../../../../daemon/meter/usage.ts'
import type { CertificateStatus } from '../../../../schemas/admin-tls.ts'
import { CERTIFICATE } from '../../../support/tls-status.ts'
import { usageRow } from '../../../support/usage-row.ts'

let metrics: Metrics
let certificates: readonly CertificateStatus[]
beforeEach(() => {
  certificates = []
  metrics = createMetrics({
    requestsInFlight: () => 0,
    bufferedBytes: () => 0,
    backlogRows: () => 0,
    backends: () => [],
    budgets: () => [],
    limits: () => [{ name: 'each', of: 'tokens', usedRatio: 1.25, refused: 3 }],
    certificates: () => certificates,
    telemetry: () => ({ traces: { sent: 2, dropped: 1 } }),
  })
})
afterEach(() => metrics.close())

const ROW = usageRow({ upstream: 'mock', targetModel: 'm' })
const row = (targetModel: string, outcome: UsageRow['outcome'] = 'ok', upstream = 'mock'): UsageRow => ({
  ...ROW,
  targetModel,
  upstream,
  outcome,
  status: outcome === 'ok' ? 200 : 404,
})
const modelsOf = async (upstream = 'mock') => {
  const { text } = await metrics.expose()
  const found = [...text.matchAll(/^gate_requests_total\{(.*)\} /gm)].map(([, labels = '']) => labels)
  const own = found.filter((labels) => labels.includes(`upstream="${upstream}"`))
  return [...new Set(own.map((labels) => /gen_ai_request_model="([^"]*)"/.exec(labels)?.[1]))]
}

test('what attempts cost is added up, also of those that broke off', async () => {
  metrics.attempt({ ...row('dear', 'ok', 'shop'), costMicrodollars: 1_500 })
  metrics.attempt({ ...row('dear', 'truncated', 'shop'), status: 200, costMicrodollars: 500 })
  metrics.attempt(row('free', 'ok', 'shop'))
  const { text } = await metrics.expose()
  expect(text.match(/^gate_cost_microdollars_total\{upstream="shop".*$/gm)).toEqual([
    'gate_cost_microdollars_total{upstream="shop",gen_ai_request_model="dear"} 2000',
  ])
})

test('names that no upstream ever answered to are counted together', async () => {
  for (let i = 0; i < 5_000; i++) metrics.attempt(row(`made-up-${i}`, 'refused'))
  metrics.attempt(row('real'))
  metrics.attempt(row('real', 'refused'))
  expect(await modelsOf()).toEqual(['other', 'real'])
  const { text } = await metrics.expose()
  expect(text).toContain('gate_requests_total{upstream="mock",gen_ai_request_model="other",status="404"} 5000')
  expect(text).toContain('gate_requests_total{upstream="mock",gen_ai_request_model="real",status="404"} 1')
})

test('an upstream that answers to any name cannot take the series of others', async () => {
  for (let i = 0; i < 1_000; i++) metrics.attempt(row(`anything-${i}`))
  expect((await modelsOf()).length).toBe(101)
  metrics.attempt(row('gpt', 'ok', 'openai'))
  expect(await modelsOf('openai')).toEqual(['gpt'])
})

test('a certificate is a time to expire, a time to renew, counts of renewals and perhaps an alarm', async () => {
  const { served: _, renews_at: __, renews_because: ___, ...rest } = CERTIFICATE
  const alarm = { kind: 'absent', since: '2026-11-20T00:00:00.000Z', message: 'nothing can be served' } as const
  const absent = { ...rest, name: 'b.example', renewals: { succeeded: 0, failed: 3 }, alarm }
  certificates = [CERTIFICATE, absent]
  const { text } = await metrics.expose()
  expect(text.match(/^gate_tls_(?:certificate|renewals).*$/gm)).toEqual([
    'gate_tls_certificate_not_after_seconds{name="ai.example.org",source="acme"} 1801267200',
    'gate_tls_certificate_renews_at_seconds{name="ai.example.org",source="acme"} 1798689600',
    'gate_tls_certificate_alarm{name="b.example",source="acme",kind="absent"} 1',
    'gate_tls_renewals_total{name="ai.example.org",source="acme",outcome="succeeded"} 2',
    'gate_tls_renewals_total{name="ai.example.org",source="acme",outcome="failed"} 0',
    'gate_tls_renewals_total{name="b.example",source="acme",outcome="succeeded"} 0',
    'gate_tls_renewals_total{name="b.example",source="acme",outcome="failed"} 3',
  ])
})

test('handshakes are counted by what came of them', async () => {
  metrics.handshake('done', { version: 'TLSv1.3', alpn: 'h2' })
  metrics.handshake('done', { version: 'TLSv1.3', alpn: 'h2' })
  metrics.handshake('failed')
  const { text } = await metrics.expose()
  expect(text.match(/^gate_tls_handshakes.*$/gm)).toEqual([
    'gate_tls_handshakes_total{outcome="done",version="TLSv1.3",alpn="h2"} 2',
    'gate_tls_handshakes_total{outcome="failed",version="",alpn=""} 1',
  ])
})

test('limits are told by their name and what they bound', async () => {
  const { text } = await metrics.expose()
  expect(text).toContain('gate_limit_used_ratio{limit="each",of="tokens"} 1.25\n')
  expect(text).toContain('gate_limit_refused_total{limit="each",of="tokens"} 3\n')
})
