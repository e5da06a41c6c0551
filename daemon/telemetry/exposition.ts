import type { Attributes } from './trace.ts'

/** One metric, read from the text that /metrics answers. */
export type Reading = {
  readonly name: string
  readonly help: string
  /** UCUM. */
  readonly unit: string
  readonly kind: 'gauge' | 'counter' | 'histogram'
  readonly points: readonly Point[]
}

type Point = {
  readonly labels: Attributes
  /** Of a histogram: how many observations. */
  readonly value: number
  readonly sum?: number
  /** Upper bounds, without infinity; `counts` has one more. */
  readonly bounds?: readonly number[]
  readonly counts?: readonly number[]
}

/** What OpenTelemetry's conventions call it, where that cannot be read off the name. */
const NAMES: Readonly<Record<string, readonly [name: string, unit: string]>> = {
  gen_ai_client_operation_duration_seconds: ['gen_ai.client.operation.duration', 's'],
  gen_ai_client_token_usage: ['gen_ai.client.token.usage', '{token}'],
  gen_ai_server_request_duration_seconds: ['gen_ai.server.request.duration', 's'],
  gen_ai_server_time_to_first_token_seconds: ['gen_ai.server.time_to_first_token', 's'],
  gen_ai_server_time_per_output_token_seconds: ['gen_ai.server.time_per_output_token', 's'],
}
const LABELS: Readonly<Record<string, string>> = {
  gen_ai_request_model: 'gen_ai.request.model',
  gen_ai_token_type: 'gen_ai.token.type',
  upstream: 'gate.upstream',
  status: 'http.response.status_code',
}
const UNITS = [
  ['_seconds', 's'],
  ['_bytes', 'By'],
] as const

type Sample = { readonly name: string; readonly labels: Record<string, string>; readonly value: number }

/**
 * Reads the Prometheus exposition format as this daemon writes it, so that both ways of looking say the same.
 * @param providerOf of an upstream, as the conventions name it; undefined when it is gone
 */
export function readExposition(text: string, providerOf: (upstream: string) => string | undefined): Reading[] {
  return text.split(/^(?=# HELP )/m).flatMap((block): Reading[] => {
    const [, name = '', help = ''] = /^# HELP (\S+) (.*)$/m.exec(block) ?? []
    const kind = /^# TYPE \S+ (gauge|counter|histogram)$/m.exec(block)?.[1] as Reading['kind'] | undefined
    if (kind === undefined) return []
    const samples = block.split('\n').flatMap((line) => sampleOf(line) ?? [])
    const plain = samples.map(({ labels, value }) => ({ labels: attributesOf(labels, providerOf), value }))
    const points = kind === 'histogram' ? histogramPoints(name, samples, providerOf) : plain
    if (points.length === 0) return []
    const [known, unit] = NAMES[name] ?? [name, UNITS.find(([end]) => name.includes(end))?.[1] ?? '1']
    return [{ name: known, help, unit, kind, points }]
  })
}

function sampleOf(line: string): Sample | null {
  const [, name = '', labels = '', value = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
  const number = Number(value.replace('Inf', 'Infinity').replace('Infinityinity', 'Infinity'))
  if (name === '' || Number.isNaN(number)) return null
  const pairs = labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)
  return {
    name,
    value: number,
    labels: Object.fromEntries([...pairs].map(([, key = '', said = '']) => [key, plain(said)])),
  }
}

const plain = (said: string): string => said.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))

/** The buckets of each series, counted each by itself. */
function histogramPoints(
  name: string,
  samples: readonly Sample[],
  providerOf: (upstream: string) => string | undefined,
): Point[] {
  const series = Map.groupBy(samples, ({ labels: { le: _, ...rest } }) => JSON.stringify(rest))
  return [...series.values()].map((all) => {
    const of = (suffix: string) => all.filter((sample) => sample.name === name + suffix)
    const buckets = of('_bucket')
    const bounds = buckets.map(({ labels }) => Number(labels['le'])).filter(Number.isFinite)
    const counts = buckets.map(({ value }, index) => value - (buckets[index - 1]?.value ?? 0))
    const { le: _, ...labels } = all[0]?.labels ?? {}
    const [value = 0, sum = 0] = [of('_count')[0]?.value, of('_sum')[0]?.value]
    return { labels: attributesOf(labels, providerOf), value, sum, bounds, counts }
  })
}

function attributesOf(
  labels: Readonly<Record<string, string>>,
  providerOf: (upstream: string) => string | undefined,
): Attributes {
  const provider = labels['upstream'] === undefined ? undefined : providerOf(labels['upstream'])
  const named = Object.entries(labels).map(([key, value]) => [LABELS[key] ?? key, value] as const)
  return { ...Object.fromEntries(named), ...(provider !== undefined && { 'gen_ai.provider.name': provider }) }
}
