import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createMetrics } from '../../../daemon/meter/metrics.ts'

type Panel = {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number }
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}
const file = join(import.meta.dirname, '../../../packaging/grafana/gate.json')
const dashboard = JSON.parse(readFileSync(file, 'utf8')) as { readonly panels: readonly Panel[] }
const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets)

/** The metrics that /metrics has, and the labels of each as far as it has a series. */
async function exposed() {
  const metrics = createMetrics({
    requestsInFlight: () => 1,
    bufferedBytes: () => 1,
    backlogRows: () => 0,
    backends: () => [{ name: 'b', state: 'ready', requests_in_flight: 1, requests_waiting: 1 }],
    certificates: () => [],
    limits: () => [{ name: 'l', of: 'requests', usedRatio: 0.5, refused: 1 }],
    budgets: () => [{ name: 'b', limit: 9, spent: 4, reserved: 1, percent: 50 }],
    telemetry: () => ({ traces: { sent: 1, dropped: 1 } }),
  })
  const row = { requestId: 'r', attempt: 1, startedAt: 1, keyId: 'k', model: 'm', upstream: 'u', targetModel: 'm' }
  const counts = { inputTokens: 1, outputTokens: 3, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 }
  const rest = { estimated: false, costMicrodollars: 1, unpriced: false, endUser: '', durationMs: 9, ttftMs: 1 }
  const whose = { userId: '', team: '', teams: '', category: '', provider: 'openai' }
  const whole = { ...row, ...counts, ...rest, ...whose, status: 200, outcome: 'ok' } as const
  metrics.attempt(whole)
  metrics.request(whole, 10)
  metrics.refused('BAD_REQUEST')
  metrics.handshake('done')
  metrics.backendStart('b', 'started', 1)
  const { text } = await metrics.expose()
  metrics.close()
  const names = new Set(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => `${name} ${type}`),
  )
  const labelsOf = (name: string) => {
    const line = text.split('\n').find((each) => each.startsWith(`${name}{`) || each.startsWith(`${name}_bucket{`))
    return new Set([...(line ?? '').matchAll(/(\w+)="/g)].map(([, label]) => label))
  }
  return { names, labelsOf }
}

test('every metric, and every label, of the dashboard is one of /metrics', async () => {
  const { names, labelsOf } = await exposed()
  const known = [...names].map((each) => each.split(' '))
  for (const { expr, legendFormat } of expressions) {
    const used = [...expr.matchAll(/\b((?:gate|gen_ai|process|nodejs)_\w+)\{/g)].map(([, name = '']) => name)
    expect(used.length, expr).toBeGreaterThan(0)
    for (const name of used) {
      const [found] = known.filter(([base = '', type]) =>
        type === 'histogram' ? new RegExp(`^${base}_(?:bucket|sum|count)$`).test(name) : base === name,
      )
      expect(found, `${name} of ${expr}`).toBeDefined()
      const labels = labelsOf(found?.[0] ?? '')
      const asked = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label)
      if (labels.size > 0) for (const label of asked) expect([...labels], `${expr}: ${label}`).toContain(label)
    }
  }
  expect(expressions.length).toBeGreaterThan(20)
})

test('panels have ids of their own and do not lie over each other', () => {
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
  )
  expect(new Set(cells).size).toBe(cells.length)
})
