import { randomBytes } from 'node:crypto'
import { createAdmission } from '../../daemon/admit/admission.ts'
import { NO_OTHER_PROOFS } from '../../daemon/auth/authenticate.ts'
import { createTokens } from '../../daemon/auth/tokens.ts'
import type { Backends } from '../../daemon/backends/backends.ts'
import { createChecker } from '../../daemon/check/checker.ts'
import { createDirectory } from '../../daemon/gateway/directory.ts'
import { createGateway, type GatewayParts, openRequests } from '../../daemon/gateway/gateway.ts'
import { type AnswerStore, createKept } from '../../daemon/gateway/kept.ts'
import { createHolds, type HoldStore } from '../../daemon/gateway/objects/holds.ts'
import { createObjects, type ObjectStore } from '../../daemon/gateway/objects/known.ts'
import { createRecordings } from '../../daemon/gateway/recordings.ts'
import { createRequestIds } from '../../daemon/gateway/request-id.ts'
import { admissionLimits, keptLimits, recordingLimits } from '../../daemon/gateway/settings.ts'
import { speechOf } from '../../daemon/gateway/speech.ts'
import { createHttpListener, type HttpLimits } from '../../daemon/listener/http.ts'
import { createHttpsLayer } from '../../daemon/listener/https.ts'
import type { Identities } from '../../daemon/listener/identities.ts'
import { createHeldTime } from '../../daemon/meter/held-time.ts'
import type { UsageRow } from '../../daemon/meter/usage.ts'
import { createRetryBudget } from '../../daemon/route/retry-budget.ts'
import { createTargetHealth } from '../../daemon/route/target-health.ts'
import { DIALECTS, type Dialects } from '../../daemon/translate/dialects.ts'
import { echo } from '../../daemon/translate/openai-chat/echo.ts'
import { createUpstreams } from '../../daemon/upstream/upstreams.ts'
import { configSchema } from '../../schemas/config/config.ts'
import type { LogFields } from '../../schemas/words/log.ts'
import { budgetsOf, limitsOf, memoryHolds, PAYER } from './budgets.ts'
import { upToConnections } from './client-connections.ts'
import { NO_STORED_KEYS } from './no-stored-keys.ts'

export const KEY = 'a-key-of-the-test-01'

/** For upstreams that are no backends: everybody's turn is now. */
export const NO_BACKENDS: Pick<Backends, 'turnAt' | 'isAsleep'> = {
  isAsleep: () => false,
  turnAt: () => ({ kind: 'granted', wait: null, mayRestart: false, release: () => {} }),
}

/** For requests that nobody traces: every upstream is told what the client says of its own trace. */
const NO_TELEMETRY: GatewayParts['telemetry'] = {
  begin: () => null,
  join: () => null,
  put: () => {},
  tells: () => true,
  providerOf: (upstream) => upstream,
}

const NO_OBJECTS: ObjectStore = {
  put: () => {},
  find: () => null,
  has: () => false,
  remove: () => {},
  upstreamsOf: () => [],
}

/**
 * The data plane in this process, its stages the real ones, behind a real socket; only storage and metrics stand in.
 * @param config what `config.toml` would hold; upstreams should list their models
 */
export async function startDataPlane(
  config: object,
  options: {
    readonly dialects?: Dialects
    readonly objects?: ObjectStore
    readonly parts?: Partial<GatewayParts>
    /** The clock of rests and latencies, in monotonic milliseconds. */
    readonly healthNow?: () => number
    /** The clock of backends that are paid by the hour, in monotonic milliseconds. */
    readonly heldNow?: () => number
    /** What is held for batches. */
    readonly holds?: HoldStore
    /** To all upstreams together. */
    readonly mostConnections?: number
    readonly limits?: Partial<HttpLimits>
    /** What is served over TLS; absent: nothing is, and the listener speaks plain HTTP. */
    readonly identities?: Identities
  } = {},
) {
  const { dialects = DIALECTS } = options
  const initial = configSchema.parse({ discovery: { enabled: false }, ...config })
  const rows: UsageRow[] = []
  const lines: { readonly level: string; readonly message: string; readonly fields: LogFields }[] = []
  const log: GatewayParts['log'] = (level, message, fields = {}) => void lines.push({ level, message, fields })
  let laterMs = 0
  const now = () => Date.now() + laterMs
  const monotonic = () => performance.now()
  const tokens = createTokens(NO_STORED_KEYS, now)
  tokens.setSystemToken(KEY)
  const speech = speechOf(dialects, echo)
  const upstreams = createUpstreams(speech, options.mostConnections)
  const health = createTargetHealth(options.healthNow ?? monotonic)
  const directory = createDirectory(
    {
      upstreams,
      listingOf: speech.listingOf,
      probes: speech.probes,
      health,
      log,
      now: monotonic,
      random: Math.random,
      isAsleep: () => false,
      backendState: () => undefined,
    },
    initial,
  )
  const clients = openRequests()
  const budgets = budgetsOf(initial.budgets, { now })
  const payerOf = (keyId: string) => ({ ...PAYER, keyId })
  const holds = createHolds({ store: options.holds ?? memoryHolds(), budgets, payers: () => payerOf, log, now })
  const recordings = createRecordings(now, recordingLimits(initial))
  const kept = createKept(memoryStore(), recordings.recorded, log, now, keptLimits(initial))
  const checker = createChecker(log, monotonic, { longestMs: 60_000, startMs: 60_000, waitMs: 60_000 }) // far away
  tokens.whenEnded(clients.cutEnded)
  const gateway = createGateway(
    {
      clients,
      dialects,
      proofs: { ...NO_OTHER_PROOFS, key: tokens.find },
      admission: createAdmission(admissionLimits(initial)),
      routes: directory.routes,
      kept,
      recordings,
      texts: { begin: () => null },
      objects: createObjects(options.objects ?? NO_OBJECTS, now),
      factsOf: directory.factsOf,
      priceOf: directory.priceOf,
      longestAnswerOf: directory.longestAnswerOf,
      budgets,
      holds,
      limits: limitsOf(initial.limits, { now: options.healthNow ?? monotonic }),
      heldTime: createHeldTime(options.heldNow ?? monotonic),
      health,
      retries: createRetryBudget(monotonic),
      backends: NO_BACKENDS,
      upstreams,
      nodeId: () => null,
      checker,
      ledger: { settle: async (row) => void rows.push(row), refusal: () => null },
      telemetry: NO_TELEMETRY,
      metrics: {
        attempt: () => {},
        request: () => {},
        refused: () => {},
        expose: async () => ({ contentType: 'text/plain', text: '' }),
      },
      log,
      closed: () => undefined,
      notReady: () => null,
      newRequestId: createRequestIds('test', now),
      now,
      monotonic,
      ...options.parts,
    },
    initial,
  )
  const limits = { headersTimeoutMs: 5_000, bodyTimeoutMs: 5_000, connections: upToConnections(100), ...options.limits }
  const { identities } = options
  const https =
    identities === undefined
      ? undefined
      : createHttpsLayer({
          identities,
          answering: gateway,
          limits,
          hstsSeconds: () => 3_600,
          noteHandshake: () => {},
          random: randomBytes,
          now: monotonic,
          log,
        })
  const listener = createHttpListener(gateway, limits, log, https)
  const url = await listener.listen({ host: '127.0.0.1', port: 0 })
  return {
    url,
    rows,
    lines,
    gateway,
    clients,
    budgets,
    holds,
    upstreams,
    kept,
    /** Looks once which models the upstreams list. */
    refresh: directory.refresh,
    status: directory.status,
    tokens,
    /** Lets the clock of keys and rows go on. */
    passTime: (ms: number) => {
      laterMs += ms
    },
    /** As the daemon does at its end; then "stop". */
    drain: (signal: AbortSignal) => clients.drain(listener.drain(signal), signal),
    async stop(): Promise<void> {
      const over = AbortSignal.abort()
      await clients.drain(listener.drain(over), over)
      https?.close()
      await directory.stop()
      await upstreams.close()
      await checker.close()
    },
  }
}

/** Keeps answers as long as the test does. */
export function memoryStore(): AnswerStore {
  const texts = new Map<string, string>()
  return {
    put: (keyId, id, _, text) => void texts.set(`${keyId} ${id}`, text),
    get: (keyId, id) => texts.get(`${keyId} ${id}`) ?? null,
    remove: (keyId, id) => texts.delete(`${keyId} ${id}`),
    trim: () => false,
  }
}
