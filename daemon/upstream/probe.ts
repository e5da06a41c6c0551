import { providerRow } from '../../schemas/words/providers.ts'
import { textOf } from './answer-text.ts'
import type { Answer } from './asking.ts'
import type { EngineProbe, Found } from './engine-probe.ts'
import type { Upstream } from './upstream.ts'

/** Of one question; a slow engine may read a prompt of some words and say some in this time. */
const QUESTION_TIMEOUT_MS = 30_000
const MAX_ANSWER_BYTES = 256 * 2 ** 10
/** An engine that went on all the while is asked again after this long, one that gave no clear answer after a shorter time. */
const ASK_AGAIN_MS = 24 * 3_600_000
const RETRY_MS = 600_000

/** Statuses of a server that has no such route. */
const NO_ROUTE = new Set([404, 405, 410, 501])

type Ask = NonNullable<Upstream['ask']>

/**
 * Finds out which dialects engines speak, and how well: by provider only one is known. It takes a few tokens at first
 * contact, when it has come back, and once a day. @param now monotonic milliseconds
 */
export function createProbes(probes: readonly EngineProbe[], now: () => number) {
  const asked = new Map<string, { readonly upstream: Upstream; readonly againAt: number }>()

  async function probeOne(upstream: Upstream, ask: Ask, model: string, signal: AbortSignal): Promise<void> {
    const found: Record<string, Found> = {}
    let isClear = true
    for (const probe of probes) {
      if (upstream.isSet(probe.dialect)) continue
      try {
        found[probe.dialect] = await gradeOf(probe, ask, model, signal)
      } catch {
        isClear = false // it is busy, broke off or went away: what was known before stays
      }
    }
    if (signal.aborted) return
    asked.set(upstream.name, { upstream, againAt: now() + (isClear ? ASK_AGAIN_MS : RETRY_MS) })
    upstream.learn(found)
  }

  function isDue(upstream: Upstream): boolean {
    const last = asked.get(upstream.name)
    return last?.upstream !== upstream || now() >= last.againAt
  }

  return {
    /** It has been started anew, perhaps in another version. */
    forget: (name: string): void => void asked.delete(name),
    /**
     * Asks the engines that are due, of those that are there. Never rejects.
     * @param modelsOf the models of an upstream, none when it does not answer; null: it must not be asked now
     */
    async refresh(
      upstreams: readonly Upstream[],
      modelsOf: (upstream: Upstream) => readonly string[] | null,
      signal: AbortSignal,
    ): Promise<void> {
      await Promise.all(
        upstreams.map(async (upstream) => {
          const models = modelsOf(upstream)
          if (models === null || upstream.ask === null) return
          if (models.length === 0) asked.delete(upstream.name) // it may come back as another one
          const model = probedModel(upstream, models)
          if (model !== null && isDue(upstream)) await probeOne(upstream, upstream.ask, model, signal)
        }),
      )
    },
  }
}

/** A model that is loaded already; null: there is none, or it is not known. */
function probedModel({ provider }: Upstream, models: readonly string[]): string | null {
  const { probed } = providerRow(provider)
  const [first = null] = models
  if (probed === 'any model') return first
  return probed === 'only model' && models.length === 1 ? first : null
}

/** @throws Error when the answers say nothing clear */
async function gradeOf(
  { path, headers, empty, questions }: EngineProbe,
  ask: Ask,
  model: string,
  stopping: AbortSignal,
): Promise<Found> {
  const post = async (body: object) => {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(QUESTION_TIMEOUT_MS)])
    const answer = await ask(path, signal, { headers, body: JSON.stringify(body) })
    return { status: answer.status, ok: answer.ok, text: await textOf(answer, MAX_ANSWER_BYTES) }
  }
  const refusal = await post(empty.body)
  if (NO_ROUTE.has(refusal.status)) return { grade: 'translate', faults: ['there is no such route'] }
  if (isUnclear(refusal) && refusal.status !== 500) throw new Error(`it answered ${refusal.status}`)
  const faults: string[] = [...empty.faultsOf(refusal.text)]
  for (const question of questions) {
    const answer = await post(question.ask(model))
    if (isUnclear(answer)) throw new Error(`it answered ${answer.status}`)
    if (!answer.ok) return { grade: 'translate', faults: [`a plain request is answered ${answer.status}`] }
    const missing = question.faultsOf(Buffer.from(answer.text))
    if (missing === null) return { grade: 'translate', faults: ['a plain answer cannot be read'] }
    faults.push(...missing)
    if (faults.length > 0) return { grade: 'repair', faults }
  }
  return { grade: 'native', faults }
}

/** Whether an answer says more of the moment, or of the key, than of the engine. */
const isUnclear = ({ status }: Pick<Answer, 'status'>): boolean =>
  [401, 403, 408, 429].includes(status) || status >= 500
