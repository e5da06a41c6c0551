import type { RouteExplanation, RouteRequest } from '../../schemas/admin-route.ts'
import type { Allowance } from '../../schemas/words/allowance.ts'
import { GateError } from '../../schemas/words/errors.ts'
import { ANYWHERE, type Wanted } from '../route/choice.ts'
import type { Explained } from '../route/explained.ts'
import type { Routes } from '../route/routes.ts'
import type { Call } from '../translate/call.ts'
import type { Dialect } from '../translate/dialect.ts'
import type { Dialects } from '../translate/dialects.ts'
import { spokenFor } from '../translate/spoken.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import type { ObjectParts } from './objects/job.ts'
import { withFiles } from './objects/refer.ts'
import type { PageParts } from './pages.ts'
import { sessionOf, wantedOf } from './wanted.ts'

type ExplainingParts = {
  readonly dialects: Pick<Dialects, 'all'>
  readonly routes: () => Routes
  readonly upstreams: Pick<Upstreams, 'get'>
  readonly kept: PageParts['kept']
  readonly objects: ObjectParts['objects']
}

/** Whose request it would be. */
type Asker = { readonly keyId: string; readonly allowed: Allowance | null }

type Read = { readonly model: string; readonly wanted: Wanted; readonly tokens: number }

/**
 * Says where a request would go, by the same steps as a real one.
 * @throws GateError what the request would be answered, such as MODEL_NOT_FOUND
 */
export const explaining =
  (parts: ExplainingParts) =>
  (question: RouteRequest, asker: Asker): RouteExplanation =>
    explain(parts, question, asker)

function explain(parts: ExplainingParts, question: RouteRequest, asker: Asker): RouteExplanation {
  const client = dialectNamed(parts.dialects.all, question.dialect)
  const { model, wanted: own, tokens } = readQuestion(parts, question, client, asker)
  const { session } = question
  const wanted: Wanted = {
    ...own,
    session: session === undefined ? own.session : sessionOf(asker.keyId, session),
    holds: () => [...new Set([...question.holds, ...own.holds()])],
    offersTools: () => question.tools || own.offersTools(),
    isLongerThan: (most) => question.tokens > most || own.isLongerThan(most),
  }
  const { strategy, isLoadedFirst, targets } = parts
    .routes()
    .of(asker.allowed)
    .explain(model, wanted, (name) => parts.upstreams.get(name)?.keys.waitMs() ?? 0)
  const isSaid = question.dialect !== undefined || question.request !== undefined
  return {
    model,
    strategy,
    loaded_first: isLoadedFirst,
    needs: { holds: [...wanted.holds()], tools: wanted.offersTools(), tokens: Math.max(question.tokens, tokens) },
    targets: targets.map((target) => told(target, isSaid ? spokenWith(parts, client, target) : null)),
  }
}

function readQuestion(
  parts: ExplainingParts,
  { model, request }: RouteRequest,
  client: Dialect,
  { keyId }: Asker,
): Read {
  if (request === undefined) return { model: model ?? '', wanted: ANYWHERE, tokens: 0 }
  const call = callWith(client, request, model ?? '')
  const whole = client.kept?.complete(call, parts.kept.of(keyId)) ?? call
  const asked = client.readRequest(whole)
  const files = client.filesIn?.(whole) ?? []
  return {
    model: model ?? asked.model,
    wanted: withFiles(wantedOf(whole, asked, client, keyId), files, parts.objects.of(keyId)),
    tokens: client.estimateInput(whole),
  }
}

/** @param model in the path, where the dialect has it there */
function callWith(client: Dialect, request: object, model: string): Call {
  const endpoint = client.endpoints.find(({ method, does }) => method === 'POST' && does === 'generate')
  if (endpoint === undefined) throw new GateError('BAD_REQUEST', `nothing is generated in ${client.name}`)
  const url = endpoint.path.replace(/\{.*\}/, encodeURIComponent(model.toWellFormed()))
  return { endpoint, param: model, url, headers: {}, body: Buffer.from(JSON.stringify(request)) }
}

function dialectNamed(all: readonly [Dialect, ...Dialect[]], name: string | undefined): Dialect {
  if (name === undefined) return all[0]
  const found = all.find((dialect) => dialect.name === name)
  if (found !== undefined) return found
  const known = all.filter(({ endpoints }) => endpoints.some(({ does }) => does === 'generate'))
  const names = [...new Set(known.map((dialect) => dialect.name))].join(', ')
  throw new GateError('BAD_REQUEST', `no dialect "${name.slice(0, 100)}"; there are ${names}`)
}

type Told = RouteExplanation['targets'][number]

function spokenWith(parts: ExplainingParts, client: Dialect, target: Explained): Told['spoken'] {
  const upstream = parts.upstreams.get(target.upstream)
  if (upstream === undefined) return null
  const { dialect, grade } = spokenFor(parts.dialects.all, client, upstream.grades)
  return { dialect: dialect.name, grade }
}

const HOW = { native: 'in its own words, ', repair: 'repaired, ', translate: 'translated to ' }

function told(
  { upstream, model, turn, why, stays, health, weight, price, readiness }: Explained,
  spoken: Told['spoken'],
): Told {
  const how = spoken === null || turn === null ? '' : `, ${HOW[spoken.grade]}${spoken.dialect}`
  return {
    upstream,
    model,
    turn,
    why: why + how,
    stays,
    weight,
    latency_ms: health === null || health.latencyMs === 0 ? null : Math.round(health.latencyMs),
    in_flight: health?.inFlight ?? 0,
    failed: health?.isWell === false,
    rests_ms: Math.ceil(health?.restMs ?? 0),
    price: price === null ? null : { input: price.input, output: price.output },
    readiness,
    spoken,
  }
}
