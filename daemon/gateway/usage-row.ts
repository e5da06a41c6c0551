import type { StreamWatch } from '../meter/stream-watch.ts'
import {
  estimatedUsage,
  NO_TOKENS,
  type Outcome,
  reportedUsage,
  type TokenCounts,
  type UsageRow,
} from '../meter/usage.ts'
import type { Target } from '../route/target-health.ts'
import type { ForwardEnd } from '../upstream/forward.ts'

/** What is known of one attempt when it has ended. Times in milliseconds. */
export type AttemptFacts = {
  readonly requestId: string
  readonly attempt: number
  readonly startedAt: number
  readonly durationMs: number
  readonly keyId: string
  readonly model: string
  readonly target: Target
  readonly promptBytes: number
  readonly end: ForwardEnd
  readonly watch: StreamWatch
}

/** The usage row of one attempt. A client that left is still charged for what it was sent. */
export function usageRow(facts: AttemptFacts): UsageRow {
  const { requestId, attempt, startedAt, keyId, model, target, end } = facts
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
    costMicrodollars: 0,
    durationMs: Math.round(facts.durationMs),
    ttftMs: end.kind === 'rejected' || end.ttftMs === null ? null : Math.round(end.ttftMs),
    ...tokensOf(facts),
  }
}

function tokensOf({ end, watch, promptBytes }: AttemptFacts): TokenCounts {
  const streamed = watch.usage()
  if (streamed !== null) return streamed
  const frames = watch.contentFrames()
  if (end.kind !== 'answered') return frames > 0 ? estimatedUsage(promptBytes, frames, 0) : NO_TOKENS
  if (frames > 0) return estimatedUsage(promptBytes, frames, 0)
  return reportedUsage(parsed(end.rest)) ?? estimatedUsage(promptBytes, 0, end.rest.length)
}

function outcomeOf(end: ForwardEnd): Outcome {
  switch (end.kind) {
    case 'answered':
      return 'ok'
    case 'rejected':
      return 'refused'
    case 'gone':
      return 'cancelled'
    case 'failed':
      return end.passed ? 'truncated' : 'failed'
  }
}

function parsed(answer: Buffer): unknown {
  try {
    return JSON.parse(answer.toString('utf8'))
  } catch {
    return null // not JSON: the upstream reported nothing
  }
}
