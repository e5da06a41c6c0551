import type { Grade, Grades } from '../../schemas/words/dialects.ts'
import type { Dialect } from './dialect.ts'

/**
 * What is spoken with an upstream for one client: its own dialect when `native` or `repair`, else another. `instead`:
 * what is said to it otherwise, where repair is not enough.
 */
export type Spoken = { readonly dialect: Dialect; readonly grade: Grade; readonly instead: Dialect }

/**
 * Chooses the dialect to speak with an upstream: the client's, where the upstream takes it, else the first that it
 * speaks natively. @param grades of the upstream, the preferred dialect first
 */
export function spokenFor(all: readonly [Dialect, ...Dialect[]], client: Dialect, grades: Grades): Spoken {
  const grade = grades[client.name] ?? 'translate'
  const instead = grade === 'native' ? client : preferredOf(all, grades)
  return { dialect: grade === 'translate' ? instead : client, grade, instead }
}

/** The dialect in which an upstream is spoken to unless a client asks otherwise, and asked for its models. */
export function preferredOf(all: readonly [Dialect, ...Dialect[]], grades: Grades): Dialect {
  const taken = Object.keys(grades).flatMap((name) => all.find((dialect) => dialect.name === name) ?? [])
  return (
    taken.find(({ name }) => grades[name] === 'native') ?? taken.find(({ name }) => grades[name] === 'repair') ?? all[0]
  )
}
