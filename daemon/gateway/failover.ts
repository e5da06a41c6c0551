import { GateError } from '../../schemas/words/errors.ts'
import { providerRow } from '../../schemas/words/providers.ts'
import type { Target } from '../route/target-health.ts'
import type { Dialect } from '../translate/dialect.ts'
import { fieldsDropped } from '../translate/features.ts'
import { createLine } from '../translate/line.ts'
import type { Feature, Usage } from '../translate/neutral.ts'
import { type Spoken, spokenFor } from '../translate/spoken.ts'
import type { ForwardEnd } from '../upstream/forward-end.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { type Conclusion, isUnseen, mayTryElsewhere } from './ends.ts'
import type { Job } from './job.ts'
import { sendingTo } from './sending.ts'

/** What becomes of a request whose target fails: another one is tried, or goes on where it broke off. */
export type Failover = {
  readonly spokenFor: (
    all: readonly [Dialect, ...Dialect[]],
    client: Dialect,
    upstream: Pick<Upstream, 'grades' | 'provider'>,
  ) => Spoken
  readonly sendingTo: typeof sendingTo
  /** Whether the next target may be tried after this end. */
  readonly mayTryElsewhere: (end: ForwardEnd, target: Target) => boolean
  /** How it all ended, in place of how the last attempt did. */
  readonly settle: (conclude: () => Promise<Conclusion>) => Promise<Conclusion>
}

/** What a client has seen a byte of is never tried again. */
const BEFORE_CONTENT: Failover = {
  spokenFor: (all, client, { grades }) => spokenFor(all, client, grades),
  sendingTo,
  mayTryElsewhere: (end) => mayTryElsewhere(end),
  settle: (conclude) => conclude(),
}

/** What is lost where an answer is written anew, though its upstream speaks the client's dialect. */
const LOST: readonly Feature[] = ['several answers', 'audio answers', 'image answers', 'server tools', 'citations']

/** @param targets those of a model that says so go on with a text that another one has begun, and that broke off */
export function failoverOf(job: Job, targets: readonly Target[]): Failover {
  const isWanted = job.asked.stream && targets.length > 1 && targets.some(({ goesOn }) => goesOn === true)
  return isWanted && canGoOn(job) ? midStream(job) : BEFORE_CONTENT
}

function canGoOn({ dialect, call, asked }: Job): boolean {
  if (call.endpoint.does !== 'generate' || dialect.neutral === undefined || (asked.choices ?? 1) > 1) return false
  try {
    const request = dialect.neutral.readRequest(call)
    const own = dialect.neutral.features(dialect.name)
    fieldsDropped(request, own, own)
    return request.logprobs === undefined && !LOST.some((feature) => request.features.has(feature))
  } catch (error) {
    if (error instanceof GateError) return false // it passes to upstreams of its dialect, which may know better
    throw error
  }
}

function midStream(job: Job): Failover {
  const { answer } = job
  const line = createLine()
  let broken: { readonly conclusion: Conclusion; readonly watch: typeof answer.watch } | null = null

  return {
    spokenFor(all, client, upstream) {
      const usual = spokenFor(all, client, upstream.grades)
      if (broken === null) return usual
      const names = Object.keys(providerRow(upstream.provider).continues ?? {})
      const able = all.find(
        ({ name }) => names.includes(name) && (upstream.grades[name] ?? 'translate') !== 'translate',
      )
      return able === undefined ? usual : { dialect: able, grade: 'translate', instead: able }
    },
    sendingTo(spoken, sent, side, tuning, care) {
      const sending = sendingTo(spoken, sent, side, tuning, {
        ...care,
        line: { next: line.next, goesOn: broken === null ? null : goingOn(spoken, side.provider, side.model) },
      })
      return { ...sending, forClient: (end) => asBroken(sending.forClient(end), answer.watch?.failure() ?? null) }
    },
    mayTryElsewhere(end, target) {
      const isWithin = end.kind === 'broken-within'
      if (isWithin && target.goesOn === true && line.said() !== null) {
        broken = { conclusion: broken?.conclusion ?? { kind: 'ended', target, end }, watch: answer.watch }
        line.broke(usageOf(answer.progress.row))
        return true
      }
      if (broken !== null) return isUnseen(end) || end.kind === 'rejected' || end.kind === 'unreached'
      if (!isWithin) line.reset()
      return mayTryElsewhere(end)
    },
    async settle(conclude) {
      const conclusion = await orNull(conclude, () => broken !== null)
      const isOver = conclusion === null || (conclusion.kind === 'ended' && conclusion.end.kind !== 'answered')
      if (!isOver) return conclusion
      line.giveUp()
      if (broken === null || conclusion?.kind === 'gone') return conclusion ?? { kind: 'gone' }
      answer.watch = broken.watch // it knows how this client is told of an error
      return broken.conclusion
    },
  }

  function goingOn({ dialect }: Spoken, provider: string, model: string) {
    const fields = new Map(Object.entries(providerRow(provider).continues ?? {})).get(dialect.name)
    const text = line.said()
    if (fields === undefined || text === null) {
      throw new GateError('UPSTREAM_FAILED', `${model} cannot go on with a text that another model has begun`)
    }
    return { text, fields, spentTokens: line.spentTokens() }
  }
}

/** An error inside a stream was not shown, so that another target can go on: it is told when none does. */
function asBroken(end: ForwardEnd, failure: string | null): ForwardEnd {
  if (end.kind !== 'reported-within') return end
  return { ...end, kind: 'broken-within', error: new GateError(end.error.code, failure ?? end.error.message) }
}

function usageOf(row: Job['answer']['progress']['row']): Usage {
  const { inputTokens = 0, outputTokens = 0, cachedTokens = 0, reasoningTokens = 0 } = row ?? {}
  return { inputTokens, outputTokens, cachedTokens, reasoningTokens }
}

/** @param mayFail whether something better is known than why the last target was not tried */
async function orNull(conclude: () => Promise<Conclusion>, mayFail: () => boolean): Promise<Conclusion | null> {
  try {
    return await conclude()
  } catch (error) {
    if (error instanceof GateError && mayFail()) return null
    throw error
  }
}
