import { join } from 'node:path'
import type { DaemonStatus } from '../../schemas/admin.ts'
import type { ConfigChange } from '../../schemas/config/layers.ts'
import { durationMs } from '../../schemas/config/values.ts'
import { hostLoad } from '../../system/host-load.ts'
import { packageVersion } from '../../system/version.ts'
import type { Cap } from '../admin/client-usage.ts'
import { type ManagedSettings, managedSettingsIn } from '../admin/managed-settings.ts'
import { createAdminServer } from '../admin/server.ts'
import type { AdminSocket } from '../admin/socket.ts'
import { apiRoutes, createApiTable } from '../admin/table.ts'
import { withApps } from '../admin/with-apps.ts'
import type { Pots } from '../admit/pots.ts'
import type { Principal } from '../auth/principal.ts'
import { TEXT_OWNER } from '../gateway/texts.ts'
import type { DataPlane } from './data-plane.ts'
import type { Ground } from './ground.ts'
import type { Peers } from './peers.ts'
import { peopleParts } from './people.ts'
import type { Relay } from './relay.ts'
import { createRotation, type SealedPart } from './rotation.ts'
import type { SignInPlane } from './sign-in.ts'
import type { Storage } from './storage.ts'

/** What operators use: the admin socket, the status, reloads. */
export function createControlPlane(
  ground: Ground,
  storage: Storage,
  signIn: SignInPlane,
  dataPlane: DataPlane,
  reach: { readonly relay: Pick<Relay, 'status'>; readonly peers: Pick<Peers, 'status'> },
) {
  const { config, lifecycle, log, logs, now } = ground
  const { backends, apps, certificates } = dataPlane
  const startedAt = new Date()
  let urls: readonly string[] = []
  let listenError: string | null = null
  let lastReload: ConfigChange = { changed: [], restart: [], shadowed: [], problems: [] }

  function status(): DaemonStatus {
    const storeError = storage.lastError()
    const closed = config.closed()
    const notReady = dataPlane.notReady()
    const ignored = config.ignored()
    return {
      state: lifecycle.state(),
      version: packageVersion(),
      pid: process.pid,
      started_at: startedAt.toISOString(),
      listen: [...urls],
      ...(listenError !== null && { listen_error: listenError }),
      ...(notReady !== null && { not_ready: notReady }),
      requests_in_flight: dataPlane.requestsInFlight(),
      upstreams: [...dataPlane.upstreamStatus()],
      problems: [...config.problems()],
      ...(ignored.length > 0 && { ignored: [...ignored] }),
      ...(closed !== undefined && { closed }),
      ...(dataPlane.people.isBreakGlassOn && { break_glass: true }),
      store: {
        path: storage.path,
        backlog_rows: storage.ledger.backlogRows(),
        ...(storeError !== null && { last_error: storeError }),
      },
    }
  }

  const stopping = new AbortController()
  const { audit } = storage
  const configuration: SealedPart = {
    name: 'configuration',
    reseal: async () => {
      await config.sealSecrets()
      return { after: 0, isDone: true, sealed: 0, lost: 0 }
    },
  }
  const rotation = createRotation(ground.keyring, [configuration, ...storage.sealed], log)
  const table = createApiTable(
    apiRoutes({
      ...peopleParts(ground, storage, dataPlane.people),
      log,
      leaveProvider: signIn.leaveProvider,
      status,
      secrets: rotation,
      signIn,
      clientGateway: {
        managedSettings: managedSettingsOf(config),
        capsOf: capsOf(dataPlane.money.budgets.pots, config, now),
        countTelemetry: dataPlane.countTelemetry,
      },
      logs,
      backends: withApps(backends, apps),
      certificates,
      relayStatus: reach.relay.status,
      peersStatus: reach.peers.status,
      explainRoute: dataPlane.explainRoute,
      modelsFor: dataPlane.modelsFor,
      money: dataPlane.money,
      upstreamsOf: dataPlane.upstreamsOf,
      openRequests: dataPlane.openRequests,
      allRoutes: dataPlane.allRoutes,
      externalUrl: () => config.current().server.external_url,
      keyOf: (id) => keyOf(storage.tokens.list(), id),
      hostLoad: hostLoad([ground.stateDirectory, join(ground.stateDirectory, 'models')]),
      usage: storage.usage,
      auditLog: storage.auditLog,
      textOf: (id) => storage.texts.get(TEXT_OWNER, id, now() - durationMs(config.current().usage.text_retention)),
      namesOf: () => namesIn(storage),
      now,
      reload: async () => {
        await lifecycle.reload()
        return lastReload
      },
    }),
  )
  dataPlane.serveApi({ routes: table.routes, audit, stopping: stopping.signal })
  const server = createAdminServer({
    table,
    audit,
    naming: { bySecret: dataPlane.namedBy, byWitness: signIn.signIns.witnessed },
    tokens: storage.tokens,
    now,
    log,
  })

  return {
    /** Answers on the admin socket. @throws AdminSocketError */
    listen(): Promise<void> {
      rotation.resume()
      return server.listen(socketOf(ground))
    },
    /** From now on the status says where clients are served. */
    served(at: readonly string[]): void {
      urls = at
      const { gateway } = ground.activation
      config.listensOn(gateway.length === 0 ? at : at.slice(0, gateway.length)) // those for TLS have keys of their own
    },
    /** From now on the status says why no client is served. */
    notServed(reason: string): void {
      listenError = reason
    },
    async reload(): Promise<void> {
      lastReload = await config.reload()
      backends.forgiveAll()
    },
    /** Ends the streams of the API, which would go on. */
    drain: async (): Promise<void> => stopping.abort(),
    async stop(): Promise<void> {
      await rotation.stop()
      await server.close(1_000)
    },
  }
}

/** systemd's socket, or a path: as asked, or beside the state. */
function socketOf({ env, activation, stateDirectory }: Ground): AdminSocket {
  const [fd] = activation.admin
  if (fd !== undefined) return { fd }
  return { path: env['GATE_ADMIN_SOCKET'] || join(stateDirectory, 'admin.sock') }
}

/** Of what usage is reported by. */
function namesIn({ access }: Storage) {
  const byId = (all: readonly { readonly id: string; readonly name: string }[]) =>
    new Map(all.map(({ id, name }) => [id, name]))
  return {
    keys: byId(access.tokens.list()),
    people: byId(access.users.list()),
    teams: byId(access.teams.list()),
  }
}

/** A key that has not ended, as explanations of routes need it. */
function keyOf(all: ReturnType<Storage['tokens']['list']>, id: string) {
  const found = all.find((key) => key.id === id && key.revokedAt === null)
  return found === undefined ? null : { keyId: found.id, allowed: found.allowed }
}

/** Parsed once for each text. */
function managedSettingsOf(config: Ground['config']): () => ManagedSettings | null {
  let known: { readonly text: string; readonly managed: ManagedSettings } | null = null
  return () => {
    const text = config.current().managed.claude_code
    if (text === undefined) return null
    if (known?.text !== text) known = { text, managed: managedSettingsIn(text) }
    return known.managed
  }
}

/** The hard budgets that a person or key pays from, as they stand. */
function capsOf(pots: Pick<Pots, 'ofPayer'>, config: Ground['config'], now: () => number) {
  return (principal: Principal): readonly Cap[] =>
    pots.ofPayer(principal).flatMap(({ rule, now: latest }): Cap[] => {
      const kind = config.current().budgets[rule.name]?.window
      if (rule.ceiling === null || kind === undefined) return []
      const { startMs, endMs } = rule.windowAt(now())
      const isCurrent = latest.windowStartMs === startMs // else nothing was spent in it
      const limit = rule.limit + (isCurrent ? latest.refilled : 0)
      return [{ window: kind, limit, spent: isCurrent ? latest.spent : 0, resetMs: endMs }]
    })
}
