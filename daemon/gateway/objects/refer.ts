import { GateError } from '../../../schemas/words/errors.ts'
import type { Wanted } from '../../route/choice.ts'
import type { KeyObjects } from './job.ts'

type Keepers = Pick<KeyObjects, 'upstreamOf' | 'isAnothers'>

const MOST_FILES = 1_000

/**
 * A request that names files goes to the upstream that keeps them, if it may go there.
 * @throws GateError OBJECT_NOT_FOUND for files of another key; BAD_REQUEST
 */
export function withFiles(wanted: Wanted, files: readonly string[], known: Keepers): Wanted {
  const keeper = keeperOfFiles(files, known)
  if (keeper === null) return wanted
  return { ...wanted, only: wanted.only === null || wanted.only.includes(keeper) ? [keeper] : [] }
}

/**
 * The name of the upstream that keeps the files which a request names; null: Gate knows none of them. Those pass: the
 * operator may have made them. @throws GateError OBJECT_NOT_FOUND for files of another key; BAD_REQUEST
 */
export function keeperOfFiles(files: readonly string[], known: Keepers): string | null {
  const ids = new Set(files)
  if (ids.size > MOST_FILES) throw new GateError('BAD_REQUEST', `the request names more than ${MOST_FILES} files`)
  const keepers = new Set<string>()
  for (const id of ids) {
    const upstream = known.upstreamOf(id)
    if (upstream !== null) keepers.add(upstream)
    else if (known.isAnothers(id)) {
      throw new GateError('OBJECT_NOT_FOUND', `this key has nothing of the id "${id.slice(0, 100)}"`)
    }
  }
  const [keeper = null, ...others] = keepers
  if (others.length > 0) {
    throw new GateError('BAD_REQUEST', 'the request names files of several upstreams; send it once for each of them')
  }
  return keeper
}
