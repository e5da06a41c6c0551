import { GateError } from '../../../schemas/words/errors.ts'
import { type JsonRecord, parsedRecord } from '../../translate/json-value.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import type { ObjectJob, ObjectParts } from './job.ts'
import { mayKeep } from './which.ts'

/**
 * A body in which models are those of the upstream, and the upstream that has them all.
 * @param named the upstream that the client named; null: none
 * @throws GateError MODEL_NOT_FOUND; MODEL_FORBIDDEN when they cannot be seen; BAD_REQUEST when they are of several
 * upstreams
 */
export function withOwnModels(
  { upstreams }: Pick<ObjectParts, 'upstreams'>,
  job: ObjectJob,
  named: Upstream | null,
): { readonly meant: Upstream | null; readonly body: Buffer | null; readonly targetOf: (model: string) => string } {
  const { call, form, dialect, routes, isLimited } = job
  const inPath = form.modelIn?.(call) ?? null
  if (call.body.length === 0 && inPath === null) return { meant: named, body: null, targetOf: SAME }
  if (call.endpoint.hasModelsInFile === true && isLimited && isInFile(job)) {
    const message = 'this key may use some models only, and those of a batch are in its file, which is not read here'
    throw new GateError('MODEL_FORBIDDEN', `${message}; send the requests one by one, or use a key for all models`)
  }
  if (form.withModels === undefined) return { meant: named, body: call.body, targetOf: SAME }
  const found = new Map<string, { readonly upstream: Upstream; readonly model: string }>()
  const modelOf = (model: string): string => {
    const known = found.get(model) ?? lookUp(model)
    found.set(model, known)
    return known.model
  }
  if (inPath !== null) modelOf(inPath)
  const bodyWithModels = form.withModels(bodyIn(call.body), modelOf)

  function lookUp(model: string) {
    for (const { upstream: name, model: own } of routes.targetsOf(model)) {
      const upstream = upstreams.get(name)
      if (upstream === undefined || !mayKeep(upstream, dialect.name)) continue
      if (named === null || upstream === named) return { upstream, model: own }
    }
    throw new GateError('BAD_REQUEST', refusalOf(model.slice(0, 200), dialect.name, named), { param: 'model' })
  }

  const [meant = named, ...others] = new Set(Array.from(found.values(), ({ upstream }) => upstream))
  if (others.length > 0) throw new GateError('BAD_REQUEST', 'the models of one batch must be of one upstream')
  const isSame = [...found].every(([model, known]) => model === known.model)
  // a key that is written twice could mean another model to the upstream
  const body = isSame && !isLimited ? call.body : Buffer.from(JSON.stringify(bodyWithModels))
  return { meant, body, targetOf: (model) => found.get(model)?.model ?? model }
}

const SAME = (model: string): string => model

/** Where requests may be in the body as well, those are read. */
const isInFile = ({ form, call }: ObjectJob): boolean =>
  form.requestsIn === undefined || form.refersTo(bodyIn(call.body)) !== null

function refusalOf(model: string, dialect: string, named: Upstream | null): string {
  if (named !== null) return `upstream "${named.name}", which the request names, does not serve model "${model}"`
  return `no upstream of model "${model}" keeps things of ${dialect}; choose a model of one that speaks it itself`
}

function bodyIn(body: Buffer): JsonRecord {
  const record = parsedRecord(body.toString('utf8'))
  if (record === null) throw new GateError('INVALID_JSON', 'the body is not a JSON object')
  return record
}
