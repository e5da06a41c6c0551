import type { ModelPrice } from '../../../schemas/words/model-facts.ts'
import type { Admission, Slot } from '../../admit/admission.ts'
import type { Budgets } from '../../admit/budgets.ts'
import type { Payer } from '../../admit/payer.ts'
import type { Ledger } from '../../meter/ledger.ts'
import type { Metrics } from '../../meter/metrics.ts'
import type { KeyRoutes, Routes } from '../../route/routes.ts'
import type { Target } from '../../route/target-health.ts'
import type { Call } from '../../translate/call.ts'
import type { Dialect } from '../../translate/dialect.ts'
import type { ObjectForm } from '../../translate/object-form.ts'
import type { ForwardEnd } from '../../upstream/forward-end.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import type { Upstreams } from '../../upstream/upstreams.ts'
import { conclude } from '../conclude.ts'
import type { Exchange } from '../exchange.ts'
import { type OngoingAttempt, usageRow, whoOf } from '../usage-row.ts'
import type { Holds } from './holds.ts'

/** What is known of the things of one key. @throws GateError STORE_UNAVAILABLE */
export type KeyObjects = {
  readonly upstreamOf: (id: string) => string | null
  /** Whether another key has something of this id. */
  readonly isAnothers: (id: string) => boolean
  readonly upstreams: () => readonly string[]
  readonly bind: (id: string, upstream: string) => void
  readonly forget: (id: string) => void
}

export type ObjectParts = {
  readonly objects: {
    readonly of: (keyId: string) => KeyObjects
    /** Whether something is heard of for the first time, and was not counted before. */
    readonly isNews: (what: string) => boolean
    /** Remembers that it is counted, also after a restart. */
    readonly noteCounted: (what: string, upstream: string) => void
  }
  readonly priceOf: (target: Target) => ModelPrice | null
  readonly routes: () => Routes
  readonly upstreams: Pick<Upstreams, 'get' | 'all'>
  readonly admission: Pick<Admission, 'admit'>
  readonly ledger: Pick<Ledger, 'settle' | 'refusal'>
  readonly metrics: Pick<Metrics, 'attempt'>
  readonly budgets: Pick<Budgets, 'pots' | 'spentOf' | 'charge' | 'release'>
  readonly holds: Holds
  /** The longest answer of a model in tokens; null: not known. */
  readonly longestAnswerOf: (target: Target) => number | null
  readonly now: () => number
  readonly monotonic: () => number
}

/** A request about something that an upstream keeps, or is to keep. */
export type ObjectJob = {
  readonly exchange: Exchange
  readonly keyId: string
  readonly payer: Payer
  /** Its key may not use every model. */
  readonly isLimited: boolean
  readonly routes: KeyRoutes
  readonly dialect: Dialect
  readonly form: ObjectForm
  readonly call: Call
  readonly known: KeyObjects
  readonly slot: Slot
}

/** Does the work of a request and writes its usage row, which has no model: nothing of it is paid for by tokens. */
export async function metered(
  parts: ObjectParts,
  { exchange: { answer }, call, dialect }: ObjectJob,
  { name, provider }: Upstream,
  attempt: number,
  work: () => Promise<ForwardEnd>,
): Promise<ForwardEnd> {
  const ongoing: OngoingAttempt = {
    requestId: answer.requestId,
    attempt,
    startedAt: parts.now(),
    ...whoOf(answer.progress),
    model: '',
    category: '',
    provider,
    target: { upstream: name, model: call.endpoint.about ?? '', weight: 1 },
    call,
    dialect,
    begun: parts.monotonic(),
    held: null,
    inputTokens: null,
  }
  answer.progress.ongoing = ongoing
  const end = await work()
  const durationMs = parts.monotonic() - ongoing.begun
  const row = usageRow(ongoing, { durationMs, end, upstreamEnd: end, watch: null, price: null, heldCost: 0 })
  answer.progress.row = row
  parts.metrics.attempt(row)
  await parts.ledger.settle(row)
  answer.progress.ongoing = null
  return end
}

/** Tells the client how it ended. */
export function tell({ upstreams, now }: ObjectParts, { exchange }: ObjectJob, { name }: Upstream, end: ForwardEnd) {
  const target = { upstream: name, model: '', weight: 1 }
  conclude(exchange.answer, { kind: 'ended', target, end }, now, (one) => upstreams.get(one))
}
