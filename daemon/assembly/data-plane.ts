import { randomBytes } from 'node:crypto'
import { setTimeout as after } from 'node:timers/promises'
import { certificateSource } from '../../config/certificate-source.ts'
import type { Config } from '../../schemas/config/config.ts'
import { durationMs } from '../../schemas/config/values.ts'
import type { Allowance } from '../../schemas/words/allowance.ts'
import type { Log } from '../../schemas/words/log.ts'
import { guarded } from '../../system/background.ts'
import { ownDescriptors } from '../../system/descriptors.ts'
import { packageVersion } from '../../system/version.ts'
import { NO_CERTIFICATES } from '../admin/routes/tls.ts'
import { createAdmission } from '../admit/admission.ts'
import { budgetReadings } from '../admit/budget-readings.ts'
import { NO_OTHER_PROOFS, type Proofs } from '../auth/authenticate.ts'
import { agentClient } from '../backends/agent-client.ts'
import { createApps } from '../backends/apps.ts'
import { createBackends } from '../backends/backends.ts'
import type { Certificates } from '../certificates/certificates.ts'
import { createChecker } from '../check/checker.ts'
import { createDirectory } from '../gateway/directory.ts'
import { explaining } from '../gateway/explaining.ts'
import { createGateway, openRequests } from '../gateway/gateway.ts'
import { createKept } from '../gateway/kept.ts'
import { createBatchLooks } from '../gateway/objects/batch-looks.ts'
import { createObjects } from '../gateway/objects/known.ts'
import { createRecordings } from '../gateway/recordings.ts'
import { createRequestIds } from '../gateway/request-id.ts'
import { admissionLimits, keptLimits, recordingLimits, textsWanted } from '../gateway/settings.ts'
import { speechOf } from '../gateway/speech.ts'
import { createTexts } from '../gateway/texts.ts'
import { connectionLimits, createClientConnections } from '../listener/connection-limits.ts'
import type { Identities } from '../listener/identities.ts'
import { createHeldTime } from '../meter/held-time.ts'
import { createMetrics } from '../meter/metrics.ts'
import { createRetryBudget } from '../route/retry-budget.ts'
import { createTargetHealth } from '../route/target-health.ts'
import { createTelemetry } from '../telemetry/telemetry.ts'
import { DIALECTS } from '../translate/dialects.ts'
import { echo } from '../translate/openai-chat/echo.ts'
import { createUpstreams } from '../upstream/upstreams.ts'
import type { Ground } from './ground.ts'
import { createListeners, placesOf } from './listeners.ts'
import { openMoney } from './money.ts'
import type { Peers } from './peers.ts'
import { createPersonProofs } from './proofs.ts'
import { startRounds } from './rounds.ts'
import type { SignInPlane } from './sign-in.ts'
import type { Storage } from './storage.ts'

/** What budgets have spent is waited for this long at the start; until it is known, all that was leased counts. */
const LONGEST_READ_MS = 2_000
const CUT_OFF_FAILED = 'what was answered to a credential that ended could not be cut off'

const NO_IDENTITIES: Identities = {
  current: () => [],
  onChange: () => () => {},
  challengeFor: () => undefined,
  httpChallenge: () => undefined,
}

export type DataPlane = ReturnType<typeof createDataPlane>

/**
 * Everything that a request goes through. Each part is made of those above it.
 * @param certificates what is served over TLS; null: no source of certificates is configured
 */
export function createDataPlane(
  ground: Ground,
  storage: Storage,
  signIn: SignInPlane,
  certificates: Certificates | null,
  peers: Peers,
) {
  const { access, audit, ledger, noteOpen, answers, texts: storedTexts, objects } = storage
  const { log, now, monotonic, lifecycle, activation, config } = ground
  const initial = config.current()
  const { tokens } = access
  setKeys(initial)
  const admission = createAdmission(admissionLimits(initial))
  const health = createTargetHealth(monotonic)
  const speech = speechOf(DIALECTS, echo)
  const places = placesOf(activation, initial, certificateSource(initial) !== 'none')
  const limits = limitsOf(initial, monotonic, log)
  const upstreams = createUpstreams(speech, limits.maxUpstreamConnections, now, peers.dial)
  const backends = createBackends({
    probe: upstreams.probe,
    agentAt: agentClient,
    keysOf: config.keysOf,
    log,
    now: monotonic,
  })
  const apps = createApps(agentClient)
  const directory = createDirectory(
    {
      isAsleep: backends.isAsleep,
      backendState: backends.stateOf,
      upstreams,
      listingOf: speech.listingOf,
      probes: speech.probes,
      health,
      log,
      now: monotonic,
      random: Math.random,
    },
    initial,
  )
  const notReady = (): string | null => {
    const state = lifecycle.state()
    if (state !== 'ready' && state !== 'reloading') return `the daemon is ${state}`
    return config.closed() ?? ledger.refusal()
  }
  const clients = openRequests()
  const money = openMoney(ground, storage, (upstream) => upstreams.get(upstream)?.provider ?? upstream)
  const recordings = createRecordings(now, recordingLimits(initial))
  const texts = createTexts(storedTexts, log, now, textsWanted(initial))
  const kept = createKept(answers, recordings.recorded, log, now, keptLimits(initial))
  const checker = createChecker(log, monotonic)
  const telemetry = createTelemetry({ version: packageVersion(), log, now, monotonic, random: Math.random }, initial)
  const metrics = createMetrics({
    telemetry: telemetry.counts,
    requestsInFlight: clients.count,
    bufferedBytes: () => admission.bufferedBytes() + recordings.heldBytes(),
    backlogRows: ledger.backlogRows,
    backends: backends.list,
    certificates: () => certificates?.status().certificates ?? [],
    budgets: () => budgetReadings(money.budgets.pots, now()),
    limits: money.limits.readings,
  })
  const known = createObjects(objects, now)
  const people = createPersonProofs({ access, audit, env: ground.env, log, monotonic }, initial)
  const secrets = {
    key: tokens.find,
    session: access.sessions.find,
    accessToken: signIn.signIns.find,
  } satisfies Partial<Proofs>
  const gateway = createGateway(
    {
      clients,
      dialects: DIALECTS,
      proofs: {
        ...NO_OTHER_PROOFS,
        ...people.proofs,
        ...secrets,
      },
      admission,
      routes: directory.routes,
      kept,
      texts,
      recordings,
      objects: known,
      factsOf: directory.factsOf,
      priceOf: directory.priceOf,
      longestAnswerOf: directory.longestAnswerOf,
      budgets: money.budgets,
      holds: money.holds,
      limits: money.limits,
      heldTime: createHeldTime(monotonic),
      health,
      retries: createRetryBudget(monotonic),
      backends,
      upstreams,
      nodeId: peers.nodeId,
      checker,
      ledger,
      metrics,
      telemetry,
      log,
      closed: config.closed,
      notReady,
      newRequestId: createRequestIds(randomBytes(4).toString('hex'), now),
      now,
      monotonic,
    },
    initial,
  )
  const { leases } = money
  leases.whenAnnounced(clients.cutEnded)
  // after the answer to the client that has ended it, such as by signing out
  access.whenEnded((ended) => void setImmediate(guarded(log, CUT_OFF_FAILED, () => leases.announce(ended))))
  signIn.whenEnded(leases.announce)
  const batches = createBatchLooks({
    ...{ ledger, metrics, objects: known, upstreams, dialects: DIALECTS, log, now },
    ...{ budgets: money.budgets, holds: money.holds, payerOf: money.payerOf, priceOf: directory.priceOf },
  })
  const rounds = startRounds({
    ...{ access, clients, noteOpen, batches, budgets: money.budgets, priceOf: directory.priceOf },
    ...{ log, now, monotonic },
  })
  telemetry.readsFrom(metrics.expose)
  backends.whenStarted(metrics.backendStart)
  backends.whenStarted((name, outcome) => {
    if (outcome === 'started') directory.restarted(name)
  })
  const listeners = createListeners(
    places,
    {
      answering: gateway,
      identities: certificates?.identities ?? NO_IDENTITIES,
      limits,
      noteHandshake: metrics.handshake,
      takePeer: peers.take,
      monotonic,
      log,
    },
    initial,
  )

  function setKeys({ auth }: Config): void {
    tokens.setSystemToken(auth.token)
    access.setSessionLife(auth.jwt.expiration_hours * 3_600_000)
  }

  return {
    people,
    /** Whose a key, a session's token or an access token is. @throws GateError for one that does not count any more */
    namedBy: (text: string) => secrets.key(text, {}) ?? secrets.session(text) ?? secrets.accessToken(text),
    backends,
    apps,
    certificates: certificates ?? NO_CERTIFICATES,
    upstreamStatus: directory.status,
    explainRoute: explaining({ dialects: DIALECTS, routes: directory.routes, upstreams, kept, objects: known }),
    /** The models that a key may ask for. */
    modelsFor: (allowed: Allowance | null) => directory.routes().of(allowed).list(),
    /** The upstreams that a model is asked at. @throws GateError MODEL_NOT_FOUND */
    upstreamsOf: (model: string) =>
      directory
        .routes()
        .entryOf(model)
        .targets.map(({ upstream }) => upstream),
    notReady,
    serveApi: gateway.serveApi,
    money,
    allRoutes: gateway.allRoutes,
    requestsInFlight: clients.count,
    countTelemetry: metrics.clientTelemetry,
    openRequests: { count: clients.count, counts: clients.counts },
    apply(next: Config): void {
      setKeys(next)
      admission.setLimits(admissionLimits(next))
      kept.setLimits(keptLimits(next))
      texts.setWanted(textsWanted(next))
      recordings.setLimits(recordingLimits(next))
      gateway.apply(next)
      people.apply(next)
      telemetry.apply(next)
      money.apply(next)
      listeners.apply(next)
      directory.apply(next)
      backends.apply(next.backends)
      apps.apply(next.apps)
    },
    /** @returns the URLs listened on @throws Error (EADDRINUSE, EACCES, …) */
    async listen(): Promise<readonly string[]> {
      backends.apply(initial.backends)
      apps.apply(initial.apps)
      await Promise.race([money.read(), after(LONGEST_READ_MS, undefined, { ref: false })])
      const urls = await listeners.listen()
      for (const url of urls) log('info', 'listening', { url })
      directory.start(new Set(urls.map((url) => Number(new URL(url).port))))
      return urls
    },
    /** Serves a visitor that a relay has brought. */
    takeRelayed: listeners.takeRelayed,
    listenForPeers: listeners.listenForPeers,
    drain: (signal: AbortSignal): Promise<void> => clients.drain(listeners.drain(signal), signal),
    /** In the order in which they have to go: what asks goes before what is asked. */
    stops: [
      ...rounds.stops,
      ['directory', directory.stop],
      ['backends', backends.close],
      ['upstreams', upstreams.close],
      ['budgets', money.close],
      ['checker', checker.close],
      ['telemetry', telemetry.close],
      ['metrics', metrics.close],
    ] as const,
  }
}

function limitsOf({ server }: Config, now: () => number, log: Log) {
  const { clients, upstreams, bound } = connectionLimits(ownDescriptors(), server.max_connections)
  if (clients < server.max_connections) {
    log('info', 'fewer connections are accepted than server.max_connections: raise the limit of open files', {
      count: clients,
    })
  }
  return {
    headersTimeoutMs: durationMs(server.headers_timeout),
    bodyTimeoutMs: durationMs(server.body_timeout),
    connections: createClientConnections({ clients, bound }, now, log),
    maxUpstreamConnections: upstreams,
  }
}
