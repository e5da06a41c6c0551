import type { Log } from '../../schemas/words/log.ts'
import { isOutOfDescriptors } from './connector.ts'
import type { Answer, ModelListing, Upstream } from './upstreams.ts'

/** What an upstream said last about itself. */
export type CatalogEntry = {
  readonly models: readonly string[]
  readonly state: 'configured' | 'unknown' | 'up' | 'down'
  readonly lastError: string | null
}

const ASK_TIMEOUT_MS = 10_000
/** An upstream that answered is asked again after this long; one that did not, at every refresh. */
const ASK_AGAIN_MS = 600_000
const MAX_ANSWER_BYTES = 4 * 2 ** 20
const MAX_MODELS = 10_000

/**
 * The models that each upstream serves, asked in the background and remembered: looking one up never waits, and the
 * last answer stays while an upstream is down. @param now monotonic milliseconds
 * @param onChange called when what is served has changed
 */
export function createCatalog({ log, now, onChange }: { log: Log; now: () => number; onChange: () => void }) {
  const entries = new Map<string, CatalogEntry & { readonly upstream: Upstream; readonly askedAt: number }>()

  async function refreshOne(upstream: Upstream, signal: AbortSignal): Promise<void> {
    if (upstream.ask === null) return
    const before = entries.get(upstream.name)
    const askedAt = now()
    try {
      const models = await askModels(upstream, upstream.ask, signal)
      entries.set(upstream.name, { upstream, askedAt, models, state: 'up', lastError: null })
    } catch (error) {
      if (signal.aborted || isOutOfDescriptors(error)) return
      const reason = error instanceof Error ? reasonOf(error) : String(error)
      const lastError = upstream.redactor?.text(reason) ?? reason
      entries.set(upstream.name, { upstream, askedAt, models: before?.models ?? [], state: 'down', lastError })
      if (before?.state !== 'down')
        log('warn', 'upstream does not list its models', { upstream: upstream.name, error: lastError })
    }
    const after = entries.get(upstream.name)
    if (String(before?.models) !== String(after?.models)) onChange()
  }

  return {
    entryOf(upstream: Upstream): CatalogEntry {
      const { configuredModels } = upstream
      if (configuredModels !== null) return { models: configuredModels, state: 'configured', lastError: null }
      return entries.get(upstream.name) ?? { models: [], state: 'unknown', lastError: null }
    },
    /**
     * Asks the upstreams whose models are neither configured nor known from a while ago. Never rejects.
     * @param isAsleep whether asking would start it: such a one is asked another time
     */
    async refresh(
      upstreams: readonly Upstream[],
      isAsleep: (name: string) => boolean,
      signal: AbortSignal,
    ): Promise<void> {
      const names = new Set(upstreams.map(({ name }) => name))
      for (const name of entries.keys()) if (!names.has(name)) entries.delete(name)
      const asked = upstreams.filter((upstream) => {
        const known = entries.get(upstream.name)
        const isFresh = known?.upstream === upstream && known.state === 'up' && now() - known.askedAt < ASK_AGAIN_MS
        return upstream.configuredModels === null && !isFresh && !isAsleep(upstream.name)
      })
      await Promise.all(asked.map((upstream) => refreshOne(upstream, signal)))
    },
  }
}

/** @throws Error when there is no answer, a refusal, or an answer in another shape */
async function askModels(
  { baseUrl, lists, redactor }: Upstream,
  ask: NonNullable<Upstream['ask']>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(ASK_TIMEOUT_MS)])
  const response = await ask(lists.modelsPath, deadline)
  if (!response.ok) {
    await response.body?.cancel()
    throw new Error(`GET ${baseUrl}${lists.modelsPath} answered ${response.status}`)
  }
  const ids = await readListing(lists, response)
  return redactor === null ? ids : ids.map(redactor.text)
}

/** The ids in a model list. @throws Error when it is none, or too long */
export async function readListing(
  { readModels }: ModelListing,
  response: Pick<Answer, 'body'>,
): Promise<readonly string[]> {
  return readModels(JSON.parse(await boundedText(response))).slice(0, MAX_MODELS)
}

/** @throws Error when the body is longer than any model list */
async function boundedText(response: Pick<Answer, 'body'>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > MAX_ANSWER_BYTES) throw new Error('the model list is too long')
  }
  return text
}

function reasonOf(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
