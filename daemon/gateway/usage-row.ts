import type { ModelPrice } from '../../schemas/words/model-facts.ts'
import { costMicrodollars } from '../meter/cost.ts'
import { countsOf, estimatedUsage, NO_TOKENS, type Outcome, type TokenCounts, type UsageRow } from '../meter/usage.ts'
import type { Target } from '../route/target-health.ts'
import type { Call } from '../translate/call.ts'
import type { Dialect } from '../translate/dialect.ts'
import { embedTokens } from '../translate/embedding.ts'
import type { Usage } from '../translate/neutral.ts'
import type { StreamWatch } from '../translate/stream-watch.ts'
import type { ForwardEnd } from '../upstream/forward-end.ts'

/** What is known of one attempt when it has ended. Times in milliseconds. */
export type AttemptFacts = {
  readonly requestId: string
  readonly attempt: number
  readonly startedAt: number
  readonly durationMs: number
  readonly keyId: string
  readonly endUser: string
  readonly model: string
  readonly target: Target
  /** As the upstream got it. */
  readonly call: Call
  readonly end: ForwardEnd
  /** The same before Gate checked the answer, which costs as much when the client does not get it. */
  readonly upstreamEnd: ForwardEnd
  /** What read the stream; null when the answer was none. */
  readonly watch: StreamWatch | null
  /** The upstream's. */
  readonly dialect: Dialect
  /** Null: it is not known. */
  readonly price: ModelPrice | null
}

/** The usage row of one attempt. A client that left is still charged for what it was sent. */
export function usageRow(facts: AttemptFacts): UsageRow {
  const { requestId, attempt, startedAt, keyId, endUser, model, target, end, price } = facts
  const used = usedIn(facts)
  return {
    requestId,
    attempt,
    startedAt,
    keyId,
    model,
    upstream: target.upstream,
    targetModel: target.model,
    status: end.status,
    outcome: outcomeOf(end),
    costMicrodollars: price === null ? 0 : costMicrodollars(price, used),
    unpriced: price === null && used.inputTokens + used.outputTokens > 0,
    durationMs: Math.round(facts.durationMs),
    ttftMs: !('ttftMs' in end) || end.ttftMs === null ? null : Math.round(end.ttftMs),
    endUser,
    ...('estimated' in used ? used : countsOf(used)),
  }
}

/** What the upstream reported, or what Gate counted. */
function usedIn({ upstreamEnd: end, watch, dialect, call }: AttemptFacts): Usage | TokenCounts {
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
