import { afterEach, beforeEach, expect, test } from 'vitest'
import { createMetrics, type Metrics } from '../../../../daemon/meter/metrics.ts'
import type { UsageRow } from '../../../../daemon/meter/usage.ts'

let metrics: Metrics
beforeEach(() => {
  metrics = createMetrics({
    requestsInFlight: () => 0,
    bufferedBytes: () => 0,
    backlogRows: () => 0,
    backends: () => [],
  })
})
afterEach(() => metrics.close())

const ROW: UsageRow = {
  requestId: 'r',
  attempt: 1,
  startedAt: 0,
  keyId: 'k',
  model: 'm',
  upstream: 'mock',
  targetModel: 'm',
  status: 200,
  outcome: 'ok',
  costMicrodollars: 0,
  unpriced: false,
  endUser: '',
  durationMs: 1,
  ttftMs: null,
  inputTokens: 1,
  outputTokens: 1,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  estimated: false,
}
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
