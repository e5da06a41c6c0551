import type { Grades } from '../../../schemas/words/dialects.ts'
import { GateError } from '../../../schemas/words/errors.ts'
import { providerRow } from '../../../schemas/words/providers.ts'
import type { Dialect } from '../../translate/dialect.ts'
import { parsedRecord } from '../../translate/json-value.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import type { Upstreams } from '../../upstream/upstreams.ts'
import type { ObjectJob } from './job.ts'
import { keeperOfFiles } from './refer.ts'

/** In which a client may say which upstream is meant. */
const HEADER = 'x-gate-upstream'

/**
 * The upstream that a request names, by the id of what it keeps, by files or in a header; null: by none of them.
 * @throws GateError OBJECT_NOT_FOUND, also for what another key made; BAD_REQUEST
 */
export function keeperOf(upstreams: Pick<Upstreams, 'get'>, { exchange, call, form, known, dialect }: ObjectJob) {
  const id = form.idFor(call) || referredTo()
  function referredTo(): string | null {
    const record = call.body.length === 0 ? null : parsedRecord(call.body.toString('utf8'))
    return record === null ? null : form.refersTo(record)
  }
  const files = keeperOfFiles(dialect.filesIn?.(call) ?? [], known)
  const isById = id !== null && id !== ''
  const name = isById ? known.upstreamOf(id) : files
  if (isById && name === null)
    throw new GateError('OBJECT_NOT_FOUND', `this key has nothing of the id "${id.slice(0, 100)}"`)
  if (name !== null) {
    const upstream = upstreams.get(name)
    if (upstream === undefined)
      throw new GateError('OBJECT_NOT_FOUND', `upstream "${name}", which keeps it, is not configured any more`)
    return upstream
  }
  const asked = exchange.request.headers[HEADER]
  if (asked === undefined) return null
  const upstream = upstreams.get(String(asked))
  if (upstream === undefined || !mayKeep(upstream, dialect.name))
    throw new GateError('BAD_REQUEST', `${HEADER}: no upstream of that name speaks ${dialect.name} itself`)
  return upstream
}

/**
 * The one upstream that can be meant where none is named; null: there is none.
 * @param among names of those that count; null: any @throws GateError BAD_REQUEST when there are several
 */
export function onlyKeeper(
  upstreams: Pick<Upstreams, 'all'>,
  { name: dialect, objects: form }: Dialect,
  among: readonly string[] | null,
): Upstream | null {
  const all = upstreams.all().filter((one) => mayKeep(one, dialect) && (among?.includes(one.name) ?? true))
  const [makers, others] = [all.filter(({ provider }) => provider === form?.provider), all]
  const candidates = makers.length > 0 && among === null ? makers : others
  const [first, ...more] = candidates
  if (more.length === 0) return first ?? null
  const names = candidates.map(({ name }) => name).join(', ')
  throw new GateError('BAD_REQUEST', `several upstreams could be meant; name one in the header ${HEADER}: ${names}`)
}

/** Engines keep nothing, and requests to Amazon are signed with their body. */
export function mayKeep({ table, provider, grades }: Upstream, dialect: string): boolean {
  const { isEngine, key } = providerRow(provider)
  const speaks = grades[dialect as keyof Grades] === 'native'
  return speaks && table === 'upstreams' && isEngine !== true && key !== 'aws' && provider !== 'echo'
}
