import { editDistance } from '../../schemas/words/nearest.ts'

/** The known names nearest to a mistyped one, best first: at most `most`, none that is further than half its length. */
export function nearNames(name: string, known: Iterable<string>, most = 3): string[] {
  const wanted = name.toLowerCase()
  const furthest = Math.max(2, Math.floor(wanted.length / 2))
  const scored: { readonly candidate: string; readonly distance: number }[] = []
  for (const candidate of known) {
    const lower = candidate.toLowerCase()
    const contained = lower.includes(wanted) || wanted.includes(lower)
    // at least that far apart; comparing thousands of names would hold the event loop up
    if (!contained && Math.abs(lower.length - wanted.length) > furthest) continue
    const rough = contained ? 0.5 : editDistance(wanted.slice(0, 100), lower.slice(0, 100))
    const distance = lower === wanted ? 0 : rough // the same name in another case is what was meant
    if (distance <= furthest) scored.push({ candidate, distance })
  }
  scored.sort((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate))
  return scored.slice(0, most).map(({ candidate }) => candidate)
}
