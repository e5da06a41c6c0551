import type { Target } from './target-health.ts'

const MOST = 20_000

export type Sessions = ReturnType<typeof createSessions>

/** Where the requests of each session went last: the prompt is cached there. The oldest are forgotten. */
export function createSessions() {
  const places = new Map<string, string>()
  const keyOf = ({ upstream, model, basePath = '' }: Target) => `${upstream} ${model} ${basePath}`
  return {
    /** The target of a session goes first, unless it is not among them any more. */
    first(session: string, targets: readonly Target[]): readonly Target[] {
      const place = places.get(session)
      const known = place === undefined ? undefined : targets.find((target) => keyOf(target) === place)
      return known === undefined ? targets : [known, ...targets.filter((target) => target !== known)]
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
