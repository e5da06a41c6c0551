import type { Log } from '../../schemas/words/log.ts'
import type { ModelFacts } from '../../schemas/words/model-facts.ts'
import type { ProviderRow } from '../../schemas/words/provider-row.ts'
import { providerRow } from '../../schemas/words/providers.ts'
import { textOf } from './answer-text.ts'
import type { Answer } from './asking.ts'
import { isOutOfDescriptors } from './connector.ts'
import type { ModelListing, Upstream } from './upstream.ts'

/** What an upstream said last about itself. */
export type CatalogEntry = {
  readonly models: readonly string[]
  /** What is known of some of them. */
  readonly facts: ReadonlyMap<string, ModelFacts>
  readonly state: 'configured' | 'unknown' | 'up' | 'unlisted' | 'down'
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
    const { baseUrl } = upstream
    try {
      const listed = await askModels(upstream, upstream.ask, signal)
      entries.set(upstream.name, { upstream, askedAt, ...listed, state: 'up', lastError: null })
      if (upstream.baseUrl !== baseUrl)
        log('warn', 'upstream answers only with the version in the path: add it to base_url', {
          upstream: upstream.name,
          url: upstream.baseUrl,
        })
    } catch (error) {
      if (signal.aborted || isOutOfDescriptors(error)) return
      const reason = error instanceof Error ? error.message : String(error)
      const lastError = upstream.redactor?.text(reason) ?? reason
      const state = error instanceof NoListError ? 'unlisted' : 'down'
      const { models, facts } = before?.upstream.baseUrl === upstream.baseUrl ? before : NOTHING
      entries.set(upstream.name, { upstream, askedAt, models, facts, state, lastError })
      if (before?.state !== state && upstream.configuredModels === null)
        log('warn', 'upstream does not list its models', { upstream: upstream.name, error: lastError })
    }
    const after = entries.get(upstream.name)
    if (said(before) !== said(after)) onChange()
  }

  /** Whether it was not asked yet where its version is, which its models are asked for to find out. */
  const lacksVersion = (upstream: Upstream): boolean =>
    upstream.addVersion !== null && entries.get(upstream.name)?.upstream !== upstream

  function isWanted(upstream: Upstream): boolean {
    const known = entries.get(upstream.name)
    const hasAnswered = known?.upstream === upstream && known.state === 'up'
    const isFresh = hasAnswered && now() - known.askedAt < ASK_AGAIN_MS
    if (upstream.configuredModels === null) return !isFresh
    if (!isEngine(upstream)) return lacksVersion(upstream)
    // once for a backend: asking again and again would keep an idle one from going to sleep
    return upstream.table === 'backends' ? !hasAnswered : !isFresh
  }

  return {
    /** Whether it answered when it was asked last. */
    isUp(upstream: Upstream): boolean {
      const entry = entries.get(upstream.name)
      return entry?.upstream === upstream && entry.state === 'up'
    },
    entryOf(upstream: Upstream): CatalogEntry {
      const { configuredModels } = upstream
      const entry = entries.get(upstream.name)
      if (configuredModels === null) return entry ?? { ...NOTHING, state: 'unknown', lastError: null }
      const facts = entry?.facts ?? NOTHING.facts
      return { models: configuredModels, facts, state: 'configured', lastError: null }
    },
    /**
     * Asks the upstreams whose models are neither configured nor known from a while ago, or whose URL names no version,
     * and engines for what they know of the models that are configured. Never rejects.
     * @param isAsleep whether asking would start it: such a one is asked another time
     */
    async refresh(
      upstreams: readonly Upstream[],
      isAsleep: (name: string) => boolean,
      signal: AbortSignal,
    ): Promise<void> {
      const names = new Set(upstreams.map(({ name }) => name))
      for (const name of entries.keys()) if (!names.has(name)) entries.delete(name)
      const asked = upstreams.filter((upstream) => isWanted(upstream) && !isAsleep(upstream.name))
      await Promise.all(asked.map((upstream) => refreshOne(upstream, signal)))
    },
  }
}

/** Engines say how long a context they were started with; hosted models are in a table. */
const isEngine = ({ provider }: Upstream): boolean => providerRow(provider).isEngine === true

/** What answers where the list should be is not a list; everything else may still work. */
class NoListError extends Error {
  constructor({ name, table, baseUrl, lists }: Upstream, what: string) {
    super(`GET ${baseUrl}${lists.modelsPath} ${what}; correct base_url, or name its models in ${table}.${name}.models`)
    this.name = 'NoListError'
  }
}

/**
 * Asks for the list below the base URL, and below its usual version where it names none; what answers there is kept.
 * Where the provider has a list that says more, that one counts.
 * @throws Error when there is no answer, or a refusal; NoListError when what answers is no list
 */
async function askModels(upstream: Upstream, ask: NonNullable<Upstream['ask']>, signal: AbortSignal): Promise<Listed> {
  const { lists, addVersion, redactor, provider } = upstream
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(ASK_TIMEOUT_MS)])
  let listed = await listAt('', upstream, ask, deadline)
  if (listed instanceof NoListError && addVersion !== null && lists.version !== null) {
    const below = await listAt(lists.version, upstream, ask, deadline)
    if (!(below instanceof NoListError)) {
      addVersion(lists.version)
      listed = below
    }
  }
  const { models: own } = providerRow(provider)
  const better = own === undefined ? null : await ownList(own, upstream, ask, deadline)
  if (better !== null) listed = better
  if (listed instanceof NoListError) throw listed
  return redactor === null ? listed : { ...listed, models: listed.models.map(redactor.text) }
}

/** @returns null: there is none */
async function ownList(
  { path, list, id }: NonNullable<ProviderRow['models']>,
  { lists }: Upstream,
  ask: NonNullable<Upstream['ask']>,
  deadline: AbortSignal,
): Promise<Listed | null> {
  try {
    const response = await ask(path, deadline)
    if (!response.ok) {
      await response.body?.cancel()
      return null
    }
    const said: unknown = JSON.parse(await textOf(response, MAX_ANSWER_BYTES))
    const entries: unknown = new Map(Object.entries(Object(said))).get(list)
    if (!Array.isArray(entries)) return null
    return listedIn(lists, { data: entries.map((entry) => ({ ...Object(entry), id: Object(entry)[id] })) })
  } catch {
    return null // the usual one is there
  }
}

/** What an upstream answers that does not list its models there. */
const NO_LIST = new Set([404, 405, 410, 501])

async function listAt(
  version: string,
  upstream: Upstream,
  ask: NonNullable<Upstream['ask']>,
  deadline: AbortSignal,
): Promise<Listed | NoListError> {
  const { lists, baseUrl } = upstream
  const response = await ask(`${version}${lists.modelsPath}`, deadline)
  if (response.ok) {
    const text = await textOf(response, MAX_ANSWER_BYTES)
    try {
      return modelsIn(lists, text)
    } catch {
      return new NoListError(upstream, 'answered with something other than a model list')
    }
  }
  await response.body?.cancel()
  if (NO_LIST.has(response.status)) return new NoListError(upstream, `answered ${response.status}`)
  throw new Error(`GET ${baseUrl}${version}${lists.modelsPath} answered ${response.status}`)
}

/** The ids in a model list. @throws Error when it is none, or too long */
export async function readListing(lists: ModelListing, response: Pick<Answer, 'body'>): Promise<readonly string[]> {
  return modelsIn(lists, await textOf(response, MAX_ANSWER_BYTES)).models
}

const modelsIn = (lists: ModelListing, text: string): Listed => listedIn(lists, JSON.parse(text))

function listedIn({ readModels, readFacts }: ModelListing, list: unknown): Listed {
  return { models: readModels(list).slice(0, MAX_MODELS), facts: readFacts?.(list) ?? NOTHING.facts }
}

type Listed = Pick<CatalogEntry, 'models' | 'facts'>
const NOTHING: Listed = { models: [], facts: new Map() }

/** What routes are made of, to be compared. */
const said = (entry: Listed | undefined): string =>
  entry === undefined ? '' : JSON.stringify([entry.models, ...entry.facts])
