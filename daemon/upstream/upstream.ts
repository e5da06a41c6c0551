import { Client, Pool } from 'undici'
import type { BackendConfig, UpstreamConfig } from '../../schemas/config/config.ts'
import { durationMs } from '../../schemas/config/values.ts'
import type { GradeOrigin, Grades } from '../../schemas/words/dialects.ts'
import type { ModelFacts, ModelPrice } from '../../schemas/words/model-facts.ts'
import { microdollarsOf } from '../../schemas/words/money.ts'
import { baseUrlOf, providerRow } from '../../schemas/words/providers.ts'
import { type Answer, asked } from './asking.ts'
import { type boundedConnector, countingClient } from './connector.ts'
import { createEchoDispatcher, ECHO_MODEL, type Echo } from './echo.ts'
import type { EngineProbe, Found } from './engine-probe.ts'
import type { ForwardRequest } from './forward.ts'
import { createGrades } from './grades.ts'
import { credentialOf, keysIn } from './key-header.ts'
import { createKeyRing, type KeyRing } from './key-ring.ts'
import { priceOf } from './price.ts'
import { type Redactor, redactorOfAll } from './redactor.ts'
import type { Signable } from './sigv4.ts'

/** A body of JSON. */
type Post = { readonly headers: Readonly<Record<string, string>>; readonly body: string }

/** How an upstream lists its models. */
export type ModelListing = {
  /** What a base URL without a version may lack; null: nothing. */
  readonly version: string | null
  /** Below its base URL. */
  readonly modelsPath: string
  /** @returns ids @throws Error when the list has another shape */
  readonly readModels: (list: unknown) => readonly string[]
  /** What the list says of them. @param list one that `readModels` took */
  readonly readFacts?: (list: unknown) => ReadonlyMap<string, ModelFacts>
}

/** What is said to upstreams, which is a dialect's to know. */
export type Speech = {
  /** @param baseUrl where the upstream answers; left out: at the usual URL of its provider */
  readonly listingOf: (
    provider: string,
    baseUrl?: string,
  ) => ModelListing & {
    /** The header that carries a key, name and value. */
    readonly keyHeader: (key: string) => readonly [string, string]
    /** Headers of every request. */
    readonly fixedHeaders: Readonly<Record<string, string>>
  }
  /** How well upstreams of a provider speak each dialect. */
  readonly gradesOf: (provider: string, baseUrl?: string) => Grades
  /** How engines are asked which dialects they speak. */
  readonly probes: readonly EngineProbe[]
  readonly echo: Echo
}

/** The tables of the configuration that upstreams are in. */
export type UpstreamTable = 'upstreams' | 'backends'

type ToolArguments = NonNullable<UpstreamConfig['tool_arguments']>

/** An upstream that requests can be sent to. */
export type Upstream = {
  readonly name: string
  /** Where it is configured, as messages name it; an engine that was found counts as one of `upstreams`. */
  readonly table: UpstreamTable
  readonly provider: string
  /** How well it speaks each dialect. */
  readonly grades: Grades
  /** Where those of them come from that are not known of its provider. */
  readonly gradeOrigins: () => Readonly<Record<string, GradeOrigin>>
  /** Whether the configuration says how well it speaks a dialect. */
  readonly isSet: (dialect: string) => boolean
  /** From now on it speaks these dialects as it was found out, but for what the configuration says. */
  readonly learn: (found: Readonly<Record<string, Found>>) => void
  /** What is changed in requests to it. */
  readonly tuning: {
    readonly parameters: NonNullable<UpstreamConfig['parameters']>
    readonly systemPrefixes: readonly string[]
  }
  /** What becomes of the arguments of tools in answers that do not pass byte for byte. */
  readonly toolArguments: ToolArguments
  /** By model, what the operator says that it costs. */
  readonly prices: ReadonlyMap<string, ModelPrice>
  /** What an hour costs in which it answers, in micro-dollars. */
  readonly perHour: number
  /** Empty for the built-in echo. */
  readonly baseUrl: string
  readonly dispatcher: ForwardRequest['dispatcher']
  /**
   * For one request over a connection of its own, after one that was kept turned out to be closed; null: there are
   * none.
   */
  readonly newConnection: (() => ForwardRequest['dispatcher']) | null
  /** Path of `baseUrl`, without a slash at its end. */
  readonly basePath: string
  /** From now on the base URL ends with a version; null: it names one. */
  readonly addVersion: ((version: string) => void) | null
  /** Which of its keys a request uses. */
  readonly keys: Pick<KeyRing, 'take' | 'refused' | 'waitMs'>
  /** The headers of a request that say whose it is, names and values in turn. @param index of the key */
  readonly credential: (index: number, request: Pick<Signable, 'path' | 'body'>) => readonly string[]
  /** Takes all of its keys out of what comes back; null: there is none. */
  readonly redactor: Redactor | null
  readonly headersTimeoutMs: number
  readonly idleTimeoutMs: number
  /** GET of a path below `baseUrl`, or POST, for the daemon's own questions; null: there is nothing to ask. */
  readonly ask: ((path: string, signal: AbortSignal, post?: Post) => Promise<Answer>) | null
  /** Ids that the configuration lists; null: whatever the upstream says it serves. */
  readonly configuredModels: readonly string[] | null
  readonly lists: ModelListing
  /** Lets requests in flight finish, then closes the connections. */
  readonly close: () => Promise<void>
}

/** Another gateway, by its id. */
const PEER = /^gate:\/\/[a-z2-7]{32}/
const HAS_VERSION = /\/v\d/
/** How long an idle connection to a Unix socket is kept; a new one costs next to nothing. */
const SOCKET_KEPT_MS = 1_000
/** The same to another gateway, which keeps it for longer. */
const PEER_KEPT_MS = 30_000

/** Opens one. @param now Unix milliseconds */
export function openUpstream(
  named: Pick<Upstream, 'name' | 'table'>,
  config: UpstreamConfig & Pick<Partial<BackendConfig>, 'price_per_hour'>,
  { listingOf, gradesOf, echo }: Speech,
  connectorOf: ReturnType<typeof boundedConnector>,
  now: () => number,
): Upstream {
  const lists = listingOf(config.provider, config.base_url)
  const graded = createGrades(gradesOf(config.provider, config.base_url), config.dialects)
  const common = {
    ...named,
    provider: config.provider,
    toolArguments: config.tool_arguments ?? (providerRow(config.provider).hasSoundCalls === true ? 'pass' : 'check'),
    gradeOrigins: graded.origins,
    isSet: graded.isSet,
    learn: graded.learn,
    prices: new Map((config.prices ?? []).map((price) => [price.model, priceOf(price)])),
    perHour: config.price_per_hour === undefined ? 0 : microdollarsOf(config.price_per_hour),
    tuning: {
      parameters: config.parameters ?? [],
      systemPrefixes: config.system_prefix === undefined ? [] : [config.system_prefix],
    },
    lists,
    headersTimeoutMs: durationMs(config.timeout),
    idleTimeoutMs: durationMs(config.idle_timeout),
  }
  if (config.provider === 'echo') {
    return {
      ...common,
      grades: graded.current(),
      baseUrl: '',
      basePath: '',
      addVersion: null,
      keys: createKeyRing(0, null, monotonic),
      credential: () => [],
      redactor: null,
      dispatcher: createEchoDispatcher(echo),
      newConnection: null,
      ask: null,
      configuredModels: config.models ?? [ECHO_MODEL],
      close: () => Promise.resolve(),
    }
  }
  const written = baseUrlOf(named.name, config)
  const isPeer = PEER.test(written)
  const url = new URL(written.replace(PEER, (id) => `https://${id.slice('gate://'.length)}`))
  if (isPeer && url.pathname === '/') url.pathname = '/v1'
  let basePath = url.pathname.replace(/\/+$/, '')
  const addVersion = (version: string) => {
    basePath += version
  }
  const options = {
    connect: connectorOf({
      timeout: durationMs(config.connect_timeout),
      allowH2: false,
      isPeer,
      ...(config.socket !== undefined && { [named.table === 'backends' ? 'heldPath' : 'socketPath']: config.socket }),
    }),
    // a connection kept longer, because the engine offers it, would keep an engine awake that stops when no client is
    // connected
    ...(config.socket !== undefined && { keepAliveMaxTimeout: SOCKET_KEPT_MS }),
    ...(isPeer && { keepAliveMaxTimeout: PEER_KEPT_MS, keepAliveTimeout: PEER_KEPT_MS }),
    // every request brings its own deadline; that of a question to a sleeping backend is the time it takes to start
    headersTimeout: 0,
    // one request, one connection: a slow reader then holds up no other request
    allowH2: false,
    pipelining: 1,
  }
  const pool = new Pool(url.origin, { ...options, connections: null, factory: countingClient })
  const keys = keysIn(config.api_key)
  const credentials = keys.map((key) => credentialOf(config.provider, key, lists.keyHeader, url.host, now))
  const askHeaders = (method: 'GET' | 'POST', path: string, body = NO_BODY): Record<string, string> => {
    const sent = credentials[0]?.({ method, path: basePath + path, body }) ?? []
    return { ...lists.fixedHeaders, ...pairsOf(sent) }
  }
  return {
    ...common,
    get grades() {
      return graded.current()
    },
    get baseUrl() {
      return url.origin + basePath
    },
    get basePath() {
      return basePath
    },
    get addVersion() {
      return HAS_VERSION.test(basePath) ? null : addVersion
    },
    keys: createKeyRing(keys.length, config.key_requests_per_minute ?? null, monotonic),
    credential: (index, { path, body }) => credentials[index]?.({ method: 'POST', path, body }) ?? [],
    redactor: redactorOfAll(keys),
    dispatcher: pool,
    newConnection: () => onlyOnce(new Client(url.origin, options)),
    ask: (path, signal, post) => {
      const question = { url: `${url.origin}${basePath}${path}`, signal, dispatcher: pool }
      if (post === undefined) return asked({ ...question, headers: askHeaders('GET', path) })
      const own = askHeaders('POST', path, Buffer.from(post.body))
      const headers = { ...own, ...post.headers, 'content-type': 'application/json' }
      return asked({ ...question, headers, body: post.body })
    },
    configuredModels: config.models ?? null,
    close: () => pool.close(),
  }
}

const monotonic = (): number => performance.now()

const NO_BODY = Buffer.alloc(0)

/** Names and values in turn, as pairs. */
function pairsOf(flat: readonly string[]): Record<string, string> {
  return Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] ?? '']] : [])))
}

/** Closes the connection after the request that is sent over it. */
function onlyOnce(client: Client): ForwardRequest['dispatcher'] {
  return {
    dispatch(request, handler) {
      const sent = client.dispatch(request, handler)
      client.close().catch(() => {}) // reported to the handler
      return sent
    },
  }
}
