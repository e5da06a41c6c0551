import fc from 'fast-check'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { counter, gaugeText, histogram, labelText } from '../../../../daemon/meter/series.ts'

const NAMES = ['upstream', 'model'] as const
const value = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a', 'b', 'a"b', 'a\\b', 'a\nb', '\\n', ''))
// a letter in front: prom-client sorts series whose labels look like numbers first
const labels = fc.tuple(
  value.map((text) => `u${text}`),
  value,
)
const number = fc.oneof(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.constantFrom(0, 0.5, 1, 1.5, 2, 1e21))

test('the text is what prom-client makes of the same observations', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(labels, number), { maxLength: 40 }), async (observations) => {
      const registry = new Registry()
      const parts = { help: 'What it is.', labelNames: [...NAMES], registers: [registry] }
      const theirs = {
        count: new Counter({ name: 'n_total', ...parts }),
        time: new Histogram({ name: 'time_seconds', buckets: [0.5, 1, 2], ...parts }),
        now: new Gauge({ name: 'now', ...parts }),
      }
      const count = counter('n_total', 'What it is.')
      const time = histogram('time_seconds', 'What it is.', [0.5, 1, 2])
      const now = new Map<string, number>()
      for (const [[upstream, model], n] of observations) {
        theirs.count.inc({ upstream, model })
        theirs.time.observe({ upstream, model }, n)
        theirs.now.set({ upstream, model }, n)
        const text = labelText(NAMES, [upstream, model])
        const { values } = count.series(text)
        values[0] = (values[0] ?? 0) + 1
        time.series(text).observe(n)
        now.set(text, n)
      }
      const ours = [count.text(), time.text(), gaugeText('now', 'What it is.', [...now])].join('\n\n')
      expect(`${ours}\n`).toBe(await registry.metrics())
    }),
  )
})

test('a metric without labels has no braces', () => {
  const time = histogram('t', 'T.', [1])
  time.series('').observe(3)
  expect(time.text()).toBe(
    '# HELP t T.\n# TYPE t histogram\nt_bucket{le="1"} 0\nt_bucket{le="+Inf"} 1\nt_sum 3\nt_count 1',
  )
})
