import { withoutKeys } from '../../schemas/words/gate-key.ts'
import type { ModelPrice } from '../../schemas/words/model-facts.ts'
import { costMicrodollars } from '../meter/cost.ts'
import { type Held, heldSoFar } from '../meter/held-time.ts'
import { countsOf, estimatedUsage, NO_TOKENS, type Outcome, type TokenCounts, type UsageRow } from '../meter/usage.ts'
import type { Target } from '../route/target-health.ts'
import type { Call } from '../translate/call.ts'
import type { Dialect } from '../translate/dialect.ts'
import { embedTokens } from '../translate/embedding.ts'
import type { Usage } from '../translate/neutral.ts'
import type { StreamWatch } from '../translate/stream-watch.ts'
import type { ForwardEnd } from '../upstream/forward-end.ts'
import { BATCH_SHARE } from './objects/batch-cost.ts'

/** Who asked for what, and where. Times in Unix milliseconds. */
type Asked = {
  readonly requestId: string
  readonly attempt: number
  readonly startedAt: number
  readonly keyId: string
  readonly userId: string
  readonly team: string
  /** Ids of the person's other teams, with spaces between them. */
  readonly teams: string
  readonly endUser: string
  readonly model: string
  /** Of the model; empty where it has none. */
  readonly category: string
  readonly target: Target
  /** Of the upstream. */
  readonly provider: string
}

/** What is known of one attempt when it has ended. */
export type AttemptFacts = {
  readonly durationMs: number
  readonly end: ForwardEnd
  /** The same before Gate checked the answer, which costs as much when the client does not get it. */
  readonly upstreamEnd: ForwardEnd
  /** What read the stream; null when the answer was none. */
  readonly watch: StreamWatch | null
  /** Null: it is not known. */
  readonly price: ModelPrice | null
  /** What the time costs in which a backend answered it, in micro-dollars. */
  readonly heldCost: number
}

/** The usage row of one attempt. A client that left is still charged for what it was sent. */
export function usageRow(sent: SentAttempt, facts: AttemptFacts): UsageRow {
  return rowOf(sent, facts, outcomeOf(facts.end), usedIn(sent, facts))
}

/** An attempt as it was sent. */
export type SentAttempt = Asked & {
  /** As the upstream got it. */
  readonly call: Call
  /** The upstream's. */
  readonly dialect: Dialect
}

const UNFINISHED: ForwardEnd = { kind: 'gone', status: 0, ttftMs: null }

/**
 * An attempt that is going on. It is data: an answer with a function in its place kept what that saw, and with it the
 * requests after it, alive until a full collection.
 */
export type OngoingAttempt = SentAttempt & {
  /** Monotonic milliseconds. */
  readonly begun: number
  /** The backend that is paid by the hour; null: it is not. */
  readonly held: Held | null
  /** Of the prompt, as Gate counts them; null: they were not counted yet. */
  inputTokens: number | null
}

/**
 * The row of an attempt that has not ended, in case that this process is killed: what was reported so far, or counted.
 * @param mayCount whether the tokens of a prompt may be counted now, which takes time
 */
export function openRow(
  ongoing: OngoingAttempt,
  watch: StreamWatch | null,
  { price, monotonicMs, mayCount }: { price: ModelPrice | null; monotonicMs: number; mayCount: boolean },
): UsageRow {
  if (mayCount) ongoing.inputTokens ??= estimatedInput(ongoing)
  const inputTokens = ongoing.inputTokens ?? 0
  const frames = watch?.contentFrames() ?? 0
  const counted = inputTokens + frames === 0 ? NO_TOKENS : estimatedUsage(inputTokens, frames)
  const heldCost = ongoing.held === null ? 0 : heldSoFar(ongoing.held, monotonicMs)
  const facts = { price, heldCost, durationMs: monotonicMs - ongoing.begun, end: UNFINISHED }
  return rowOf(ongoing, facts, 'interrupted', watch?.usage() ?? counted)
}

/** Whom the usage of an answer is booked on. */
export type Who = Pick<Asked, 'keyId' | 'userId' | 'team' | 'teams' | 'endUser'>

/** What an answer says of who asked. */
type Asker = Pick<Asked, 'keyId' | 'endUser'> & {
  readonly principal: { readonly userId: string | null; readonly teams: readonly string[] } | null
}

export const whoOf = ({ keyId, principal, endUser }: Asker): Who => ({
  keyId,
  userId: principal?.userId ?? '',
  team: principal?.teams[0] ?? '',
  teams: othersOf(principal?.teams),
  endUser,
})

/** Nearly everyone has one team at most. */
export const othersOf = (teams: readonly string[] | undefined): string =>
  teams === undefined || teams.length < 2 ? '' : teams.slice(1).join(' ')

/** The row of what the requests of a batch have used together. `id` is that of the batch. */
export function batchRow({
  id,
  number,
  who,
  target,
  provider,
  model,
  usage: { service: _, ...usage },
  isEstimated,
  isPaidInFull,
  price,
  now,
}: {
  readonly id: string
  readonly number: number
  readonly who: Who
  readonly target: Target
  readonly provider: string
  /** As it was asked for. */
  readonly model: string
  readonly usage: Usage
  readonly isEstimated: boolean
  readonly isPaidInFull: boolean
  readonly price: ModelPrice | null
  readonly now: number
}): UsageRow {
  const asked = {
    requestId: id,
    attempt: number,
    startedAt: now,
    ...who,
    model,
    category: '',
    target,
    provider,
  }
  const end = { kind: 'gone', status: 200, ttftMs: null } as const
  const row = rowOf(asked, { price, heldCost: 0, durationMs: 0, end }, 'ok', usage)
  const share = isPaidInFull ? 1 : BATCH_SHARE
  return { ...row, estimated: isEstimated, costMicrodollars: Math.ceil(row.costMicrodollars * share) }
}

/** About how many tokens were sent. */
function estimatedInput({ call, dialect }: SentAttempt): number {
  const { does } = call.endpoint
  if (does === 'embed') return embedTokens(call.body)
  return does === 'generate' ? dialect.estimateInput(call) : 0
}

function rowOf(
  { requestId, attempt, startedAt, keyId, userId, team, teams, endUser, model, category, target, provider }: Asked,
  { durationMs, price, heldCost, end }: Pick<AttemptFacts, 'durationMs' | 'price' | 'heldCost' | 'end'>,
  outcome: Outcome,
  used: Usage | TokenCounts,
): UsageRow {
  const counts = 'estimated' in used ? used : countsOf(used)
  return {
    requestId,
    attempt,
    startedAt,
    keyId,
    model: withoutKeys(model), // any name is sent on where an upstream takes any
    upstream: target.upstream,
    targetModel: withoutKeys(target.model),
    status: end.status,
    outcome,
    costMicrodollars: price === null ? 0 : costMicrodollars(price, used) + heldCost,
    unpriced: price === null && used.inputTokens + used.outputTokens > 0,
    durationMs: Math.round(durationMs),
    ttftMs: !('ttftMs' in end) || end.ttftMs === null ? null : Math.round(end.ttftMs),
    endUser,
    userId,
    team,
    category,
    provider,
    teams,
    inputTokens: counts.inputTokens,
    outputTokens: counts.outputTokens,
    cachedTokens: counts.cachedTokens,
    cacheWriteTokens: counts.cacheWriteTokens,
    reasoningTokens: counts.reasoningTokens,
    estimated: counts.estimated,
  }
}

/** What the upstream reported, or what Gate counted. */
function usedIn({ dialect, call }: SentAttempt, { upstreamEnd: end, watch }: AttemptFacts): Usage | TokenCounts {
  const { does } = call.endpoint
  if (does !== 'generate' && does !== 'embed') return NO_TOKENS
  const streamed = watch?.usage() ?? null
  if (streamed !== null) return streamed
  const frames = watch?.contentFrames() ?? 0
  if (frames > 0) return estimatedUsage(dialect.estimateInput(call), frames)
  if (end.kind !== 'answered') return NO_TOKENS
  if (watch !== null) return estimatedUsage(dialect.estimateInput(call), 0)
  const reported = dialect.usageOf(end.rest)
  if (reported !== null) return reported
  if (does === 'embed') return estimatedUsage(embedTokens(call.body), 0)
  return estimatedUsage(dialect.estimateInput(call), dialect.estimateOutput(end.rest))
}

function outcomeOf(end: ForwardEnd): Outcome {
  switch (end.kind) {
    case 'answered':
      return 'ok'
    case 'rejected':
    case 'reported':
      return 'refused'
    case 'gone':
    case 'unsent':
      return 'cancelled'
    case 'overloaded':
    case 'unreached':
    case 'broken-before':
      return 'failed'
    case 'broken-within':
    case 'reported-within':
    case 'overloaded-within':
      return 'truncated'
  }
}
