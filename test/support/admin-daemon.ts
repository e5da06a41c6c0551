import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openConfig } from '../../config/open-config.ts'
import type { AdminBackends } from '../../daemon/admin/routes/backends.ts'
import { type AdminCertificates, NO_CERTIFICATES } from '../../daemon/admin/routes/tls.ts'
import { createAdminServer } from '../../daemon/admin/server.ts'
import { apiRoutes, createApiTable } from '../../daemon/admin/table.ts'
import { addressList } from '../../daemon/admit/address.ts'
import { NO_PASSWORDS, peopleParts } from '../../daemon/assembly/people.ts'
import { createRotation } from '../../daemon/assembly/rotation.ts'
import type { Audit, AuditEntry } from '../../daemon/audit/entry.ts'
import { createAccess } from '../../daemon/auth/access.ts'
import { createLog } from '../../daemon/log/log.ts'
import type { DaemonStatus } from '../../schemas/admin.ts'
import type { PeerInfo } from '../../schemas/admin-peers.ts'
import type { RelayStatus } from '../../schemas/admin-relay.ts'
import type { Config } from '../../schemas/config/config.ts'
import { openAccessStore } from '../../store/sqlite/access-store.ts'
import { openDatabase } from '../../store/sqlite/database.ts'
import { hostLoad } from '../../system/host-load.ts'
import { keyringOf } from './keyring.ts'
import { NODE_ID } from './relay-status.ts'
import { signInParts } from './sign-in-parts.ts'

/** An admin server on a real socket, with a configuration of files in a fresh folder, and keys in memory. */
export async function startAdminDaemon(
  path?: string,
  backends: AdminBackends = NO_BACKENDS,
  status: Partial<DaemonStatus> = {},
  certificates: AdminCertificates = NO_CERTIFICATES,
  relayStatus: RelayStatus = { enabled: false, names: [], backends: [], refused: [], tunnels: [], failed: [] },
) {
  const folder = mkdtempSync(join(tmpdir(), 'gate-admin-'))
  const socketPath = path ?? join(folder, 'admin.sock')
  const logs = createLog({ write: () => {}, level: 'debug', format: 'json', journal: false, now: Date.now })
  const declaredFile = join(folder, 'declared.json')
  writeFileSync(declaredFile, JSON.stringify(DECLARED))
  const config = openConfig({
    env: { GATE_UPSTREAMS__OPENAI__API_KEY: 'sk-env-canary' },
    stateDirectory: folder,
    declaredFile,
    credentialsDirectory: undefined,
    log: logs.log,
  })
  const database = openDatabase(join(folder, 'gate.db'))
  const access = createAccess(openAccessStore(database), {
    now: Date.now,
    steady: () => performance.now(),
    rangesOf: addressList,
    log: logs.log,
  })
  const statusNow = () => ({ ...STATUS, ...status })
  const table = createApiTable(
    apiRoutes({
      signIn: signInParts(),
      clientGateway: { managedSettings: () => null, capsOf: () => [], countTelemetry: () => {} },
      ...peopleParts({ config, now: Date.now }, { access }, NO_PASSWORDS),
      status: statusNow,
      secrets: createRotation(keyringOf(folder), [], logs.log),
      logs,
      backends,
      certificates,
      relayStatus: async () => relayStatus,
      peersStatus: async () => ({ node_id: NODE_ID, p2p_port: 41_147, peers: peersIn(config.current()) }),
      reload: config.reload,
      hostLoad: hostLoad([folder]),
      log: logs.log,
      openRequests: { count: () => 0, counts: () => () => 0 },
      usage: () => Promise.resolve(USED),
      now: Date.now,
      allRoutes: () => ({ api: [], others: [] }),
      externalUrl: () => undefined,
      textOf: () => null,
      namesOf: () => ({
        keys: new Map(access.tokens.list().map(({ id, name }) => [id, name])),
        people: new Map(),
        teams: new Map(),
      }),
      auditLog: {
        page: () => Promise.resolve([AUDITED]),
        verify: () => Promise.resolve({ entries: 1, head: { seq: 1, hash: AUDITED.hash }, faults: [] }),
      },
      modelsFor: () => [],
      money: { potsOf: () => [POT], refill: (_, subject) => subject === '' },
      upstreamsOf: () => [],
      keyOf: (id) => {
        const found = access.tokens.get(id)
        return found === undefined ? null : { keyId: id, allowed: found.allowed }
      },
      explainRoute: ({ model = '', holds, tools, tokens, request }) => ({
        model: String(request?.['model'] ?? model),
        strategy: 'cost',
        loaded_first: false,
        needs: { holds: [...holds], tools, tokens },
        targets: [
          { ...TARGET, upstream: 'box', model, turn: 1, why: 'well, not measured, 0 in flight' },
          { ...TARGET, upstream: 'openai', model, turn: null, why: `the model takes no ${holds.join()}` },
        ],
      }),
    }),
  )
  const audited: AuditEntry[] = []
  const audit: Pick<Audit, 'require' | 'record'> = { require: () => {}, record: (entry) => void audited.push(entry) }
  const server = createAdminServer({
    table,
    audit,
    naming: { bySecret: access.tokens.find, byWitness: () => null },
    log: logs.log,
    now: Date.now,
    tokens: access.tokens,
  })
  const removeFolder = () => {
    database.close()
    rmSync(folder, { recursive: true, force: true })
  }
  await server.listen({ path: socketPath }).catch((error) => {
    removeFolder()
    throw error
  })
  return {
    socketPath,
    folder,
    config,
    server,
    audit,
    audited,
    access,
    logs,
    stop: async () => {
      await server.close(1_000)
      removeFolder()
    },
  }
}

const peersIn = ({ peers, upstreams }: Config): PeerInfo[] =>
  Object.entries(peers).map(([name, { node, addresses, relays }]) => ({
    name,
    node,
    addresses: [...addresses],
    relays: [...relays],
    upstreams: Object.keys(upstreams).filter((upstream) => upstreams[upstream]?.base_url === `gate://${node}`),
  }))

const TARGET = {
  stays: false,
  weight: 1,
  latency_ms: null,
  in_flight: 0,
  failed: false,
  rests_ms: 0,
  price: null,
  readiness: null,
  spoken: null,
}

const none = (): never => {
  throw new RangeError('there is none')
}
const NO_BACKENDS: AdminBackends = {
  list: () => [],
  lookUp: () => Promise.resolve(),
  status: none,
  agentOf: none,
  start: none,
  stop: none,
  restart: none,
}

const DECLARED = { server: { port: 4000 }, upstreams: { openai: { provider: 'openai' } } }

const used = (name: string, requests: number, median_ms: number) => {
  const tokens = { input_tokens: 1_234, output_tokens: 56, cached_tokens: 0, cost_microdollars: 12_345, unpriced: 0 }
  return { name, requests, failed: 0, cancelled: 0, estimated: 0, ...tokens, median_ms }
}
const AUDITED = {
  seq: 1,
  at: Date.parse('2026-11-20T12:00:00.000Z'),
  via: 'session',
  who_id: 'u1',
  who_name: 'ann\u001b[31m',
  action: 'key.create',
  object: 'key:k2',
  address: '192.0.2.7',
  door: 'https',
  outcome: 'done',
  reason: '',
  old: null,
  new: '{"name":"phone"}',
  hash: 'ab'.repeat(32),
}

const USED = {
  total: {
    requests: 3,
    failed: 1,
    cancelled: 0,
    estimated: 1,
    input_tokens: 3_702,
    output_tokens: 168,
    cached_tokens: 0,
    cost_microdollars: 1_234_567,
    unpriced: 1,
    median_ms: 340,
  },
  models: [
    used('gpt-4.1', 2, 340),
    { ...used('odd\u001b[31m', 1, 61_440), failed: 1, estimated: 1, cost_microdollars: 0, unpriced: 1 },
  ],
  keys: [{ ...used('system', 3, 340), cost_microdollars: 49 }],
  upstreams: [
    {
      name: 'box',
      requests: 3,
      failed: 3,
      cancelled: 0,
      estimated: 0,
      input_tokens: 0,
      output_tokens: 0,
      cached_tokens: 0,
      cost_microdollars: 0,
      unpriced: 0,
    },
  ],
  users: [used('ann@example.org', 1, 200)],
  people: [],
  teams: [],
  categories: [],
  series: [1, 4, 2].map((requests, hour) => ({
    at: `2026-11-20T1${hour}:00:00.000Z`,
    requests,
    input_tokens: 1_234,
    output_tokens: 56,
    cost_microdollars: 411_522,
  })),
}

/** As of a budget of which nothing is spent. */
const POT = {
  subject: '',
  spent_microdollars: 0,
  reserved_microdollars: 0,
  refilled_microdollars: 0,
  left_microdollars: 1_000_000,
  percent: 0,
  begins: '2026-11-01T00:00:00.000Z',
  ends: '2026-12-01T00:00:00.000Z',
}

const STATUS: DaemonStatus = {
  state: 'ready',
  version: '0.0.0-test',
  pid: 4711,
  started_at: '2026-11-20T12:00:00.000Z',
  listen: ['http://127.0.0.1:3000'],
  requests_in_flight: 2,
  upstreams: [
    { name: 'echo', provider: 'echo', state: 'ready', models_count: 1, dialects: { 'openai-chat': 'native' } },
    {
      name: 'openai',
      provider: 'openai',
      state: 'down',
      models_count: 0,
      last_error: 'connection refused\u001b[31m',
      dialects: { 'openai-chat': 'native', anthropic: 'repair', 'openai-responses': 'translate' },
      dialects_from: {
        anthropic: { from: 'probe', faults: ['tool_use blocks without input'] },
        'openai-responses': { from: 'config' },
      },
    },
  ],
  problems: [
    { code: 'INVALID_TOML', layer: 'runtime', where: 'config.toml:3:1', message: 'no value', hint: 'write one' },
  ],
  store: { path: '/var/lib/gate/gate.db', backlog_rows: 7 },
}
