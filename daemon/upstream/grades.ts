import type { UpstreamConfig } from '../../schemas/config/config.ts'
import type { GradeOrigin, Grades } from '../../schemas/words/dialects.ts'
import type { Found } from './engine-probe.ts'

/**
 * How well one upstream speaks each dialect: as the operator says, else as a probe found out, else as is known of its
 * provider.
 */
export function createGrades(known: Grades, dialects: UpstreamConfig['dialects']) {
  const set = gradesIn(dialects)
  let found: Readonly<Record<string, Found>> = {}
  let current: Grades = { ...known, ...set }

  function originOf(dialect: string): readonly (readonly [string, GradeOrigin])[] {
    if (dialect in set) return [[dialect, { from: 'config' }]]
    const probed = found[dialect]
    if (probed === undefined) return []
    return [[dialect, { from: 'probe', ...(probed.faults.length > 0 && { faults: [...probed.faults] }) }]]
  }

  return {
    current: () => current,
    isSet: (dialect: string) => dialect in set,
    learn(next: Readonly<Record<string, Found>>): void {
      found = { ...found, ...next }
      const grades = Object.entries(found).map(([dialect, { grade }]) => [dialect, grade])
      current = { ...known, ...Object.fromEntries(grades), ...set }
    },
    /** Of what is not known of its provider. */
    origins: (): Readonly<Record<string, GradeOrigin>> =>
      Object.fromEntries(Object.keys(current).flatMap((dialect) => originOf(dialect))),
  }
}

/** Grades as they are configured, by the dialects' own names. */
function gradesIn(dialects: UpstreamConfig['dialects']): Grades {
  const known = Object.entries(dialects ?? {}).flatMap(([name, grade]) =>
    grade === undefined ? [] : [[name, grade] as const],
  )
  return Object.fromEntries(known.map(([name, grade]) => [name.replaceAll('_', '-'), grade]))
}
