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
