import { GateError } from '../../../schemas/words/errors.ts'
import type { Wanted } from '../../route/choice.ts'
import type { KeyObjects } from './job.ts'

/** How bodies name what an upstream keeps; a text that looks so has its quotes escaped. */
const REFERENCE = /"file_id"\s*:\s*"([^"\\]{1,200})"/g
const SIGN = '"file_id"'
const MOST_REFERENCES = 1_000

/**
 * A request that names files goes to the upstream that keeps them. Ids that Gate does not know pass: the operator may
 * have made them. @throws GateError OBJECT_NOT_FOUND for those of another key
 */
export function withFiles(wanted: Wanted, body: Buffer, known: KeyObjects): Wanted {
  if (!body.includes(SIGN)) return wanted
  const keepers = new Set<string>()
  const ids = new Set(Array.from(body.toString('latin1').matchAll(REFERENCE), ([, id = '']) => id))
  if (ids.size > MOST_REFERENCES) throw new GateError('BAD_REQUEST', `more than ${MOST_REFERENCES} files are named`)
  for (const id of ids) {
    const upstream = known.upstreamOf(id)
    if (upstream !== null) keepers.add(upstream)
    else if (known.isAnothers(id)) throw new GateError('OBJECT_NOT_FOUND', `this key has nothing of the id "${id}"`)
  }
  if (keepers.size > 1) throw new GateError('BAD_REQUEST', 'the files that it names are kept by several upstreams')
  return keepers.size === 0 ? wanted : { ...wanted, only: [...keepers] }
}
