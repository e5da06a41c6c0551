import type { Target } from './target-health.ts'

const MOST = 20_000

export type Sessions = ReturnType<typeof createSessions>

/** Where the requests of each session went last: the prompt is cached there. The oldest are forgotten. */
export function createSessions() {
  const places = new Map<string, string>()
  const keyOf = ({ upstream, model, basePath = '' }: Target) => `${upstream} ${model} ${basePath}`
  return {
    /** The target of a session; undefined: it has none among these. */
    placeOf(session: string, targets: readonly Target[]): Target | undefined {
      const place = places.get(session)
      return place === undefined ? undefined : targets.find((target) => keyOf(target) === place)
    },
    note(session: string, target: Target): void {
      places.delete(session)
      places.set(session, keyOf(target))
      if (places.size <= MOST) return
      for (const oldest of places.keys()) {
        places.delete(oldest)
        break
      }
    },
  }
}
