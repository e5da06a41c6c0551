/** "3 days", "4 hours", "12 s": a span in its largest unit. @param ms its sign does not count */
export function spanText(ms: number): string {
  const unit = UNITS.find((candidate) => Math.abs(ms) >= candidate.ms)
  if (unit === undefined) return `${Math.round(Math.abs(ms) / 1_000)} s`
  const count = Math.floor(Math.abs(ms) / unit.ms)
  return `${count} ${unit.name}${count === 1 ? '' : 's'}`
}

const UNITS = [
  { ms: 86_400_000, name: 'day' },
  { ms: 3_600_000, name: 'hour' },
  { ms: 60_000, name: 'minute' },
] as const
