import type { GradeOrigin, Grades } from '../../schemas/words/dialects.ts'
import type { CatalogEntry } from '../upstream/catalog.ts'
import type { Upstream } from '../upstream/upstream.ts'

/** An upstream as an operator sees it. */
export type UpstreamStatus = {
  readonly name: string
  readonly provider: string
  readonly state: string
  readonly models_count: number
  readonly dialects: Grades
  /** Where those of them come from that are not known of its provider. */
  readonly dialects_from?: Record<string, GradeOrigin>
  readonly last_error?: string
}

/** @param backend what an operator sees of a backend; undefined for any other upstream */
export function upstreamStatus(
  upstream: Upstream,
  { models, state, lastError }: CatalogEntry,
  backend: string | undefined,
): UpstreamStatus {
  const origins = upstream.gradeOrigins()
  return {
    name: upstream.name,
    provider: upstream.provider,
    state: backend ?? (state === 'configured' || state === 'up' ? 'ready' : state),
    models_count: models.length,
    dialects: upstream.grades,
    ...(Object.keys(origins).length > 0 && { dialects_from: origins }),
    ...(lastError !== null && { last_error: lastError }),
  }
}
