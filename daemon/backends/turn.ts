import type { Backend, SchedulerState } from './scheduler-state.ts'

/** The backends whose turn it is, the active one first; none when no backend is active. */
export function inTurn(state: SchedulerState): readonly Backend[] {
  const { active, backends } = state
  const first = active.kind === 'none' ? undefined : backends.get(active.name)
  if (first === undefined) return []
  return [first, ...[...backends.values()].filter((other) => other !== first && mayRunTogether(first, other))]
}

export function isInTurn({ active, backends }: SchedulerState, backend: Backend): boolean {
  if (active.kind === 'none') return false
  const first = backends.get(active.name)
  return active.name === backend.name || (first !== undefined && mayRunTogether(first, backend))
}

/** Whether neither has to stop for the other. */
export function mayRunTogether(one: Backend, other: Backend): boolean {
  const { together } = one.limits
  return one.name === other.name || (together !== undefined && together === other.limits.together)
}

/** The others that requests wait for. @param members those whose turn it is */
export function othersInNeed({ backends }: SchedulerState, members: readonly Backend[]): readonly Backend[] {
  const names = new Set(members.map(({ name }) => name))
  return [...backends.values()].filter(({ name, waiting }) => waiting.length > 0 && !names.has(name))
}

/** The highest priority among them. */
export const mostUrgent = (backends: readonly Backend[]): number => Math.max(...backends.map(priorityOf))

const priorityOf = ({ limits: { priority = 0 } }: Backend): number => priority

/** Whose requests are served next: those of the highest priority, and of these the one that has waited longest. */
export function nextInTurn(backends: readonly Backend[]): Backend | null {
  let next: Backend | null = null
  let [mostPriority, sinceMs] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (const backend of backends) {
    const [first] = backend.waiting
    if (first === undefined) continue
    const priority = priorityOf(backend)
    if (priority < mostPriority || (priority === mostPriority && first.arrivedAtMs >= sinceMs)) continue
    next = backend
    mostPriority = priority
    sinceMs = first.arrivedAtMs
  }
  return next
}
