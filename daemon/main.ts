import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openConfig } from '../config/open-config.ts'
import type { DaemonStatus } from '../schemas/admin.ts'
import type { Config } from '../schemas/config/config.ts'
import type { ConfigChange } from '../schemas/config/layers.ts'
import { durationMs } from '../schemas/config/values.ts'
import { openDatabase } from '../store/sqlite/database.ts'
import { lockState } from '../store/sqlite/state-lock.ts'
import { openTokenStore } from '../store/sqlite/token-store.ts'
import { openUsageJournal } from '../store/usage-journal/journal.ts'
import { packageVersion } from '../system/version.ts'
import { createAdminServer } from './admin/server.ts'
import { createAdmission } from './admit/admission.ts'
import { createTokens, type Tokens } from './auth/tokens.ts'
import { agentClient } from './backends/agent-client.ts'
import { createBackends } from './backends/backends.ts'
import { createDirectory } from './gateway/directory.ts'
import { createGateway } from './gateway/gateway.ts'
import { createRequestIds } from './gateway/request-id.ts'
import { admissionLimits } from './gateway/settings.ts'
import { takeActivation } from './listener/activation.ts'
import { createHttpListener, type ListenAt } from './listener/http.ts'
import { createLineBuffer } from './log/line-buffer.ts'
import { createLog } from './log/log.ts'
import { createLedger } from './meter/ledger.ts'
import { createMetrics } from './meter/metrics.ts'
import { createLifecycle, installSignals } from './process/lifecycle.ts'
import { openNotify, startWatchdog } from './process/notify.ts'
import { type DaemonOptions, defaultStateDirectory } from './process/options.ts'
import { welcome } from './process/welcome.ts'
import { createTargetHealth } from './route/target-health.ts'
import { DIALECTS } from './translate/dialects.ts'
import { EXAMPLE, echo } from './translate/openai-chat/echo.ts'
import { createUpstreams } from './upstream/upstreams.ts'

/**
 * Runs the daemon until it is told to stop: constructs everything and wires it together, nothing else.
 * @returns the exit code: 0 drained and stopped, 1 cut off or failed
 * @throws Error that says what is wrong, when it cannot start
 */
export async function runDaemon(options: DaemonOptions): Promise<number> {
  const { env, stdout } = options
  const startedAt = new Date()
  const now = () => Date.now()
  const monotonic = () => performance.now()
  const activation = takeActivation(env, process.pid)
  const stateDirectory = options.stateDirectory ?? defaultStateDirectory(env)
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 })
  const unlockState = lockState(stateDirectory)

  const isJournal = env['JOURNAL_STREAM'] !== undefined
  const usualFormat = stdout.isTTY ? 'text' : 'json'
  const lines = createLineBuffer((text) => stdout.write(text))
  process.once('exit', lines.flush)
  const writer = createLog({ write: lines.push, level: 'info', format: usualFormat, journal: isJournal, now })
  const { log } = writer
  if (activation.unknown.length > 0) {
    log('warn', 'sockets of unknown names were passed and are not used', { error: activation.unknown.join(', ') })
  }
  const notify = openNotify({ env, fd: activation.notify, log })
  const config = openConfig({
    env,
    stateDirectory,
    runtimeFile: options.runtimeFile,
    declaredFile: options.declaredFile,
    credentialsDirectory: env['CREDENTIALS_DIRECTORY'],
    log,
  })
  const initial = config.current()
  writer.setLevel(initial.log.level)
  writer.setFormat(initial.log.format ?? usualFormat)
  for (const key of unbuiltKeys(initial)) log('warn', 'this version cannot do what is configured', { path: key })
  if (initial.auth.mode === 'none') log('warn', 'auth.mode is none: everybody on this machine is let in without a key')
  const lifecycle = createLifecycle({
    log,
    notify,
    drainDeadlineMs: () => durationMs(config.current().server.drain_timeout),
    now: monotonic,
  })

  const databaseFile = join(stateDirectory, 'gate.db')
  const database = openDatabase(databaseFile)
  const tokens = createTokens(openTokenStore(database), now)
  tokens.setSystemToken(initial.auth.token)
  const journal = openUsageJournal(databaseFile, log)
  const ledger = createLedger({ store: journal, log, now: monotonic })
  const admission = createAdmission(admissionLimits(initial))
  const health = createTargetHealth(monotonic)
  const listingOf = (provider: string) => DIALECTS.spokenBy(provider)[0]
  const upstreams = createUpstreams({ listingOf, echo })
  let ownPort = initial.server.port
  const backends = createBackends({
    probe: (name, signal) => upstreams.probe(name, signal),
    agentAt: agentClient,
    log,
    now: monotonic,
    onStart: (name, outcome, seconds) => {
      metrics.backendStart(name, outcome, seconds)
      if (outcome === 'started' && config.current().backends[name]?.models === undefined) void directory.refresh()
    },
  })
  const directory = createDirectory(
    {
      isAsleep: backends.isAsleep,
      backendState: backends.stateOf,
      upstreams,
      listingOf,
      health,
      log,
      now: monotonic,
      random: Math.random,
      ownPorts: () => new Set([ownPort]),
    },
    initial,
  )
  const metrics = createMetrics({
    requestsInFlight: () => gateway.inFlight(),
    bufferedBytes: admission.bufferedBytes,
    backlogRows: ledger.backlogRows,
    backends: backends.list,
  })
  const gateway = createGateway(
    {
      dialects: DIALECTS,
      tokens,
      admission,
      routes: directory.routes,
      health,
      backends,
      upstreams,
      ledger,
      metrics,
      log,
      isReady: () => ['ready', 'reloading'].includes(lifecycle.state()) && !ledger.isFailing(),
      newRequestId: createRequestIds(randomBytes(4).toString('hex'), now),
      now,
      monotonic,
    },
    initial,
  )

  tokens.whenRevoked(gateway.cutKey)
  config.onChange((next) => {
    writer.setLevel(next.log.level)
    writer.setFormat(next.log.format ?? usualFormat)
    tokens.setSystemToken(next.auth.token)
    admission.setLimits(admissionLimits(next))
    gateway.apply(next)
    directory.apply(next)
    backends.apply(next.backends)
  })

  const { server } = initial
  const sockets: ListenAt[] = activation.gateway.map((fd) => ({ fd }))
  if (sockets.length === 0) sockets.push({ host: server.host, port: server.port })
  const limits = {
    headersTimeoutMs: durationMs(server.headers_timeout),
    bodyTimeoutMs: durationMs(server.body_timeout),
    maxConnections: server.max_connections,
  }
  const listeners = sockets.map((where) => ({ where, listener: createHttpListener(gateway, limits, log) }))
  const listen: string[] = []
  const adminSocket = admin(options, stateDirectory, activation.admin)
  let lastReload: ConfigChange = { changed: [], restart: [], shadowed: [], problems: [] }
  const adminServer = createAdminServer({
    config,
    status,
    tokens,
    backends,
    logs: writer,
    reload: async () => {
      await lifecycle.reload()
      return lastReload
    },
    now,
    log,
  })
  function status(): DaemonStatus {
    const storeError = ledger.lastError() ?? journal.lastError()
    return {
      state: lifecycle.state(),
      version: packageVersion(),
      pid: process.pid,
      started_at: startedAt.toISOString(),
      listen: [...listen],
      requests_in_flight: gateway.inFlight(),
      upstreams: [...directory.status()],
      problems: [...config.problems()],
      store: {
        path: databaseFile,
        backlog_rows: ledger.backlogRows(),
        ...(storeError !== null && { last_error: storeError }),
      },
    }
  }

  lifecycle.onReload('configuration', async () => {
    lastReload = await config.reload()
    backends.forgiveAll()
  })
  lifecycle.onDrain('requests', async (signal) => {
    await gateway.drain(Promise.all(listeners.map(({ listener }) => listener.drain(signal))), signal)
  })
  lifecycle.onStop('admin socket', () => adminServer.close(1_000))
  lifecycle.onStop('directory', directory.stop)
  lifecycle.onStop('backends', backends.close)
  lifecycle.onStop('upstreams', upstreams.close)
  lifecycle.onStop('store', async () => {
    const lost = ledger.close()
    if (lost > 0) log('error', 'usage rows could not be written and are lost', { count: lost })
    metrics.close()
    await journal.close()
    database.close()
    unlockState()
  })
  lifecycle.onStop('watchdog', startWatchdog(env, notify, log))
  installSignals(process, lifecycle, monotonic) // for good: a signal that comes while the process ends changes nothing
  try {
    await adminServer.listen(adminSocket)
    backends.apply(initial.backends)
    for (const { where, listener } of listeners) listen.push(await listener.listen(where))
    ownPort = Number(new URL(listen[0] ?? 'http://0').port)
    for (const url of listen) log('info', 'listening', { url })
    directory.start()
    await lifecycle.ready()
    const key = firstKey(tokens, initial, isJournal)
    const isOpen = initial.auth.mode === 'none'
    lines.push(welcome({ url: listen[0] ?? '', key, isOpen, isJournal, example: EXAMPLE }))
  } catch (error) {
    await lifecycle.stop('could not start')
    throw listenError(error, initial)
  }
  return lifecycle.stopped
}

/** systemd's socket, or a path: as asked, or beside the state. */
function admin(options: DaemonOptions, stateDirectory: string, inherited: readonly number[]) {
  const [fd] = inherited
  if (fd !== undefined) return { fd }
  return { path: options.env['GATE_ADMIN_SOCKET'] || join(stateDirectory, 'admin.sock') }
}

/** Keys that are accepted, so that a configuration need not change later, but that have no effect yet. */
function unbuiltKeys({ letsencrypt, relay }: Config): readonly string[] {
  return [...(letsencrypt.enabled ? ['letsencrypt.enabled'] : []), ...(relay.enable ? ['relay.enable'] : [])]
}

/**
 * The key made at the very first start, to be shown once; null when there are keys already, or `auth.token` is set.
 * Under systemd none is made, because showing it would put it in the journal: `gatectl token create` makes one.
 */
function firstKey(tokens: Tokens, { auth }: Config, isJournal: boolean): string | null {
  if (auth.mode === 'none' || auth.token !== undefined || isJournal || tokens.list().length > 0) return null
  return tokens.create('first key', ['admin'], null).token
}

function listenError(error: unknown, { server }: Config): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : null
  const where = `${server.host} port ${server.port}`
  if (code === 'EADDRINUSE') {
    return new Error(`${where} is taken: stop what listens there, or set server.port (GATE_SERVER__PORT)`, {
      cause: error,
    })
  }
  if (code === 'EACCES')
    return new Error(`${where}: ports below 1024 need the right to bind them; set server.port`, { cause: error })
  if (code === 'EADDRNOTAVAIL')
    return new Error(`${where} is no address of this machine; set server.host`, { cause: error })
  return error
}
