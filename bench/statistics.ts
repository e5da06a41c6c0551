/** Nearest-rank percentile of ascending values. @param rank 0 < rank <= 100  @returns NaN when there are none */
export function percentile(ascending: readonly number[], rank: number): number {
  const index = Math.ceil((rank / 100) * ascending.length) - 1
  return ascending[Math.max(0, index)] ?? Number.NaN
}

/** Middle value, or the mean of the two middle ones; of any order. @returns NaN when there are none */
export function median(values: readonly number[]): number {
  const ascending = [...values].sort((a, b) => a - b)
  const middle = Math.floor(ascending.length / 2)
  const upper = ascending[middle] ?? Number.NaN
  return ascending.length % 2 === 1 ? upper : ((ascending[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Median of every figure over the runs; the greatest value for the figures in `worst`. @throws Error without a run */
export function medianOf<F extends string>(
  runs: readonly Readonly<Record<F, number>>[],
  figures: readonly F[],
  worst: readonly string[],
): Record<F, number> {
  const [first] = runs
  if (first === undefined) throw new Error('no run to take the median of')
  const result: Record<F, number> = { ...first }
  for (const figure of figures) {
    const values = runs.map((run) => run[figure])
    result[figure] = worst.includes(figure) ? Math.max(...values) : median(values)
  }
  return result
}

/**
 * The straight line through points by least squares.
 * @returns its slope, and the standard error of that; NaN for fewer than three points
 */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): {
  readonly slope: number
  readonly error: number
} {
  const { length } = points
  if (length < 3) return { slope: Number.NaN, error: Number.NaN }
  const [meanX, meanY] = [0, 1].map((axis) => points.reduce((sum, point) => sum + (point[axis] ?? 0), 0) / length) as [
    number,
    number,
  ]
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread
  const rest = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0)
  return { slope, error: Math.sqrt(rest / (length - 2) / spread) }
}

/** Welch's t of two samples, which need not vary alike, and their means. @returns t 0 for samples that do not vary */
export function welch(
  one: readonly number[],
  other: readonly number[],
): { readonly t: number; readonly means: readonly [number, number] } {
  const [a, b] = [momentsOf(one), momentsOf(other)]
  const error = Math.sqrt(a.variance / one.length + b.variance / other.length)
  return { t: error === 0 ? 0 : (a.mean - b.mean) / error, means: [a.mean, b.mean] }
}

function momentsOf(values: readonly number[]): { readonly mean: number; readonly variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, variance: squares / (values.length - 1) }
}
