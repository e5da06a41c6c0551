/** Labels of one series, such as `{upstream="local",status="200"}` without the braces; empty for none. */
type LabelText = string

/** Names and values as the exposition format writes them. @param values one for each name */
export function labelText(names: readonly string[], values: readonly string[]): LabelText {
  return names.map((name, i) => `${name}="${escaped(values[i] ?? '')}"`).join(',')
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}

/** A metric: its series, and its text in the Prometheus exposition format. */
type Metric<Series> = {
  /** The series of these labels, made at the first call: keep it where it is counted often. */
  readonly series: (labels: LabelText) => Series
  readonly text: () => string
}

/** A count in an array, so that adding to it makes no object. */
export type CounterSeries = { readonly values: Float64Array }

export function counter(name: string, help: string): Metric<CounterSeries> {
  const all = new Map<LabelText, CounterSeries>()
  return {
    series: (labels) => known(all, labels, () => ({ values: new Float64Array(1) })),
    text: () =>
      block(
        name,
        help,
        'counter',
        [...all].map(([labels, { values }]) => line(name, labels, values[0] ?? 0)),
      ),
  }
}

/** `counts[i]`: observations up to `bounds[i]` and above the bound before; the last one: those above all bounds. */
export class HistogramSeries {
  readonly counts: Float64Array
  readonly #bounds: readonly number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    const bounds = this.#bounds
    let i = 0
    while (i < bounds.length && value > (bounds[i] as number)) i += 1
    this.counts[i] = (this.counts[i] as number) + 1
    this.sum += value
  }
}

/** @param bounds upper bounds of the buckets, ascending, without +Inf */
export function histogram(name: string, help: string, bounds: readonly number[]): Metric<HistogramSeries> {
  const all = new Map<LabelText, HistogramSeries>()
  return {
    series: (labels) => known(all, labels, () => new HistogramSeries(bounds)),
    text: () => {
      const lines = [...all].flatMap(([labels, { counts, sum }]) => {
        const rest = labels === '' ? '' : `,${labels}`
        let count = 0
        const buckets = [...counts].map((n, i) => {
          count += n
          return line(`${name}_bucket`, `le="${bounds[i] ?? '+Inf'}"${rest}`, count)
        })
        return [...buckets, line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, count)]
      })
      return block(name, help, 'histogram', lines)
    },
  }
}

type Readings = readonly (readonly [LabelText, number])[]

/** A metric that is read at the scrape. */
export function gaugeText(name: string, help: string, readings: Readings): string {
  return readText(name, help, 'gauge', readings)
}

/** A count that another part keeps, read at the scrape. */
export function countText(name: string, help: string, readings: Readings): string {
  return readText(name, help, 'counter', readings)
}

function readText(name: string, help: string, type: string, readings: Readings): string {
  const lines = readings.map(([labels, value]) => line(name, labels, value))
  return block(name, help, type, lines)
}

function known<Series>(all: Map<LabelText, Series>, labels: LabelText, make: () => Series): Series {
  const found = all.get(labels)
  if (found !== undefined) return found
  const made = make()
  all.set(labels, made)
  return made
}

function block(name: string, help: string, type: string, lines: readonly string[]): string {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines].join('\n')
}

function line(name: string, labels: LabelText, value: number): string {
  return `${name}${labels === '' ? '' : `{${labels}}`} ${value}`
}

/** Counts something. */
export function increase({ values }: CounterSeries, by = 1): void {
  values[0] = (values[0] as number) + by
}
