import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import type { DaemonView } from '../../../../host/doctor/check.ts'
import { type Certificate, certificates } from '../../../../host/doctor/checks/certificates.ts'
import { type AgentFacts, agents, daemon } from '../../../../host/doctor/checks/daemon.ts'
import { type GenerationFacts, generation } from '../../../../host/doctor/checks/generation.ts'
import { readListeners, readSocketOwners, unitOf } from '../../../../host/doctor/checks/listeners.ts'
import { type PermissionFacts, permissions } from '../../../../host/doctor/checks/permissions.ts'
import { type PortFacts, ports } from '../../../../host/doctor/checks/ports.ts'
import { spec } from '../../../../host/doctor/checks/spec.ts'
import { type UnitFacts, units } from '../../../../host/doctor/checks/units.ts'
import { reach, type UpstreamFacts, upstreams } from '../../../../host/doctor/checks/upstreams.ts'
import type { DaemonStatus } from '../../../../schemas/admin.ts'
import { sh } from '../../../../syntax/shell/print.ts'
import { type Holder, parseSockets } from '../../../../system/proc-net.ts'
import { pageOf } from './page.ts'

test.each([
  { state: { kind: 'none' }, page: /^skip no spec/ },
  {
    state: { kind: 'compiled', file: 'gate.toml', text: '', warnings: 2 },
    page: /^ok gate.toml compiles, 2 warnings$/,
  },
  {
    state: { kind: 'refused', file: 'a b.toml', text: '', problems: ['a b.toml:1:1: SYNTAX'] },
    page: /^fail a b.toml does not compile\n {2}a b.toml:1:1: SYNTAX\n {2}\$ gatectl check 'a b.toml'$/,
  },
] as const)('spec: $state.kind', ({ state, page }) => {
  expect(pageOf(spec, state)).toMatch(page)
})

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0000000000000000 100 0 0 10 0
   1: 0100007F:0BB8 0100007F:C000 01 00000000:00000000 00:00000000 00000000  1000        0 4243 1 0000000000000000 20 0 0 10 -1
`
const TCP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1 0 100 0 0 10 0
   1: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 78 1 0 100 0 0 10 0
`
test("reads the kernel's tables of sockets: listeners only", () => {
  expect(parseSockets(TCP, 'tcp')).toEqual([
    { protocol: 'tcp', address: '127.0.0.1', port: 3000, uid: 1000, inode: '4242' },
  ])
  expect(parseSockets(TCP6, 'tcp').map(({ address, port }) => `${address} ${port}`)).toEqual([':: 443', '::1 53'])
})

test('finds the process behind a socket of this host', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const holder = (await readListeners()).find((found) => found.port === port)
  expect(holder).toMatchObject({ protocol: 'tcp', address: '127.0.0.1', uid: process.getuid?.() })
  const owners = await readSocketOwners(new Set([holder?.inode ?? '']))
  expect(owners.get(holder?.inode ?? '')).toMatchObject({ pid: process.pid })
  await new Promise((resolve) => server.close(resolve))
})

test('finds the innermost unit of a process', () => {
  expect(unitOf('1:x:/a\n0::/user.slice/user-1.slice/user@1.service/app.slice/gate-qwen.service\n')).toBe(
    'gate-qwen.service',
  )
  expect(unitOf('0::/init.scope\n')).toBe('init.scope')
  expect(unitOf('0::/\n')).toBe('')
})

const WANTED: PortFacts['wanted'][number] = {
  port: 3000,
  protocol: 'tcp',
  host: '127.0.0.1',
  origin: 'gate.server.port',
  expected: ['gate-daemon.service', 'gate'],
}
const HOLDER: Holder & { owner: undefined; user: string } = {
  protocol: 'tcp',
  address: '127.0.0.1',
  port: 3000,
  uid: 33,
  inode: '1',
  owner: undefined,
  user: 'www-data',
}
test.each<{ name: string; facts: Partial<PortFacts>; page: RegExp }>([
  { name: 'no spec', facts: { wanted: [] }, page: /^ok without a spec/ },
  { name: 'free', facts: {}, page: /^ok 3000: free/ },
  { name: 'ours', facts: { holders: [{ ...HOLDER, user: 'gate' }] }, page: /^ok/ },
  {
    name: "systemd's for our socket",
    facts: {
      holders: [{ ...HOLDER, user: 'root', owner: { pid: 1, program: 'systemd', unit: 'init.scope' } }],
      ownSockets: ['127.0.0.1:3000'],
    },
    page: /^ok/,
  },
  { name: 'another address', facts: { holders: [{ ...HOLDER, address: '192.0.2.1' }] }, page: /^ok/ },
  { name: 'another protocol', facts: { holders: [{ ...HOLDER, protocol: 'udp' }] }, page: /^ok/ },
  {
    name: 'on every address',
    facts: { holders: [{ ...HOLDER, address: '::' }] },
    page: /^fail tcp port 3000 is taken on ::/,
  },
  {
    name: 'by somebody unseen',
    facts: { holders: [HOLDER] },
    page: /^fail .*\n {2}a process of www-data \(root sees which\) listens there; gate.server.port wants it\n {2}\$ ss /,
  },
  {
    name: 'by a unit',
    facts: { holders: [{ ...HOLDER, owner: { pid: 7, program: 'node', unit: 'grafana.service' } }] },
    page: /\n {2}node \(process 7, user www-data, grafana.service\) listens there.*\n {2}\$ systemctl disable --now grafana.service$/,
  },
  {
    name: 'by a process',
    facts: { holders: [{ ...HOLDER, owner: { pid: 7, program: 'nc', unit: 'session-1.scope' } }] },
    page: /\n {2}\$ kill 7$/,
  },
  {
    name: "by another socket of systemd's",
    facts: { holders: [{ ...HOLDER, owner: { pid: 1, program: 'systemd', unit: 'init.scope' } }] },
    page: /\n {2}> the spec: another port for gate.server.port$/,
  },
  {
    name: 'E1 without a spec, by a process: who it is, how it goes, and how Gate gets another port',
    facts: {
      wanted: [{ ...WANTED, origin: 'gate-daemon.socket' }],
      holders: [{ ...HOLDER, owner: { pid: 7, program: 'nc', unit: 'session-1.scope' } }],
    },
    page: /nc \(process 7, user www-data, session-1.scope\) listens there; gate-daemon.socket wants it\n {2}or Gate gets another port: mkdir -p \S+gate-daemon.socket.d && printf '\[Socket\]\\nListenStream=\\nListenStream=127.0.0.1:3001\\n' >\S+ && systemctl daemon-reload && systemctl restart gate-daemon.socket\n {2}\$ kill 7 && systemctl restart gate-daemon.socket$/,
  },
  {
    name: 'E1 without a spec, by a unit',
    facts: {
      wanted: [{ ...WANTED, origin: 'gate-daemon.socket' }],
      holders: [{ ...HOLDER, address: '0.0.0.0', owner: { pid: 7, program: 'node', unit: 'grafana.service' } }],
    },
    page: /\n {2}\$ systemctl disable --now grafana.service && systemctl restart gate-daemon.socket$/,
  },
  {
    name: "E1 without a spec, by another socket of systemd's",
    facts: {
      wanted: [{ ...WANTED, origin: 'gate-daemon.socket' }],
      holders: [{ ...HOLDER, address: '::', owner: { pid: 1, program: 'systemd', unit: 'init.scope' } }],
    },
    page: /\n {2}\$ mkdir -p .* systemctl restart gate-daemon.socket$/,
  },
])('ports: $name', ({ facts, page }) => {
  expect(pageOf(ports, { wanted: [WANTED], holders: [], ownSockets: [], ...facts })).toMatch(page)
})

const DAY = 86_400_000
const NOW = Date.parse('2026-11-20T12:00:00Z')
const READ = {
  kind: 'read',
  fromMs: NOW - 30 * DAY,
  toMs: NOW + 60 * DAY,
  lost: [] as string[],
  matchesKey: true,
  keyMode: 0o600,
} as const
const CERTIFICATE: Certificate = {
  path: '/etc/tls/a.pem',
  keyPath: '/etc/tls/a.key',
  names: ['a.b'],
  renew: sh`certbot renew`,
  found: READ,
}
test.each<{ name: string; certificate: Partial<Certificate>; page: RegExp }>([
  { name: 'valid', certificate: {}, page: /^ok \/etc\/tls\/a.pem holds a.b, 60 days left$/ },
  {
    name: 'expired',
    certificate: { found: { ...READ, toMs: NOW - DAY } },
    page: /^fail \/etc\/tls\/a.pem expired 1 day ago[\s\S]*\$ certbot renew$/,
  },
  {
    name: 'soon',
    certificate: { found: { ...READ, toMs: NOW + 6 * DAY } },
    page: /^warn \/etc\/tls\/a.pem expires in 6 days/,
  },
  { name: 'a short one, fresh', certificate: { found: { ...READ, fromMs: NOW, toMs: NOW + DAY / 2 } }, page: /^ok/ },
  {
    name: 'not yet',
    certificate: { found: { ...READ, fromMs: NOW + 1 } },
    page: /^fail \/etc\/tls\/a.pem is valid only from/,
  },
  {
    name: 'another key',
    certificate: { found: { ...READ, matchesKey: false } },
    page: /^fail \/etc\/tls\/a.key is not the key of/,
  },
  {
    name: 'another name',
    certificate: { found: { ...READ, lost: ['a.b'] } },
    page: /^fail \/etc\/tls\/a.pem is not for a.b/,
  },
  {
    name: 'an open key',
    certificate: { found: { ...READ, keyMode: 0o644 } },
    page: /^fail every user may read the key \/etc\/tls\/a.key[\s\S]*chmod o= \/etc\/tls\/a.key$/,
  },
  {
    name: 'absent',
    certificate: { renew: undefined, found: { kind: 'absent' } },
    page: /^fail no certificate[\s\S]*> \/etc\/tls\/a.pem: put a new certificate there/,
  },
  { name: 'no PEM', certificate: { found: { kind: 'invalid' } }, page: /^fail .* contains no certificate/ },
  { name: 'not readable', certificate: { found: { kind: 'denied' } }, page: /^skip .*\n.*run gatectl doctor as root/ },
])('certificates: $name', ({ certificate, page }) => {
  expect(pageOf(certificates, { nowMs: NOW, certificates: [{ ...CERTIFICATE, ...certificate }] })).toMatch(page)
})

const PLACE = {
  path: '/var/lib/gate/config.toml',
  isDirectory: false,
  holder: undefined,
  mode: 0o600,
  needs: 0,
  owner: 'gate',
  group: undefined,
  why: 'secrets',
}
const SEEN = { kind: 'seen', mode: 0o600, owner: 'gate', group: 'gate', names: 1 } as const
test.each<{ name: string; place: Partial<PermissionFacts['places'][number]>; page: RegExp }>([
  { name: 'as it should be', place: {}, page: /^ok 1 places looked at/ },
  { name: 'stricter', place: { found: { ...SEEN, mode: 0o400 } }, page: /^ok/ },
  {
    name: 'open to everybody',
    place: { found: { ...SEEN, mode: 0o644 } },
    page: /^fail \/var\/lib\/gate\/config.toml is open to every user \(mode 644\)\n {2}secrets\n {2}\$ chmod 0600 \/var\/lib\/gate\/config.toml$/,
  },
  { name: 'open to its group', place: { found: { ...SEEN, mode: 0o640 } }, page: /^fail .* is open to its group/ },
  {
    name: 'of another owner',
    place: { found: { ...SEEN, owner: 'root' } },
    page: /^fail .* belongs to root:gate instead of gate[\s\S]*\$ chown --no-dereference gate /,
  },
  { name: 'of another group', place: { group: 'gate-admin' }, page: /\$ chown --no-dereference gate:gate-admin / },
  {
    name: 'closed',
    place: { mode: 0o755, needs: 0o111, found: { ...SEEN, mode: 0o700 } },
    page: /^fail .* is closed to those who need it/,
  },
  {
    name: 'a file that another account may replace by a link',
    place: { holder: 'gate', found: { ...SEEN, mode: 0o644 } },
    page: /\$ runuser -u gate -- chmod 0600 \/var\/lib\/gate\/config\.toml$/,
  },
  {
    name: 'a directory that another account may replace by a link',
    place: { holder: 'gate', isDirectory: true, found: { ...SEEN, mode: 0o777 } },
    page: /\$ systemd-tmpfiles --create --prefix=\/var\/lib\/gate\/config\.toml$/,
  },
  {
    name: 'a link to a file of root',
    place: { holder: 'gate', found: { kind: 'link', target: '/etc/shadow' } },
    page: /^fail \S+ is a link to \/etc\/shadow\n[^\n]+\n {2}\$ rm \/var\/lib\/gate\/config\.toml$/,
  },
  {
    name: 'another name of a file',
    place: { holder: 'gate', found: { ...SEEN, names: 2, owner: 'root' } },
    page: /^fail \S+ has 2 names \(hard links\)\n[^\n]+\n {2}> [^\n]+$/,
  },
  {
    name: 'a name that a shell would run',
    place: { path: '/var/lib/gate/gate.db-usage-$(id)', found: { ...SEEN, mode: 0o644 } },
    page: /\$ chmod 0600 '\/var\/lib\/gate\/gate\.db-usage-\$\(id\)'$/,
  },
  { name: 'absent', place: { found: { kind: 'absent' } }, page: /^ok/ },
  { name: 'not seen', place: { found: { kind: 'denied' } }, page: /^ok 0 places.*\nskip 1 of 1 places/ },
])('permissions: $name', ({ place, page }) => {
  expect(pageOf(permissions, { places: [{ ...PLACE, found: SEEN, ...place }] })).toMatch(page)
})

const UNITS: UnitFacts = { isAnswering: true, problem: '', failed: [], unseen: [], isRoot: true }
test.each<{ name: string; facts: Partial<UnitFacts>; page: RegExp }>([
  { name: 'none failed', facts: {}, page: /^ok no unit of Gate has failed$/ },
  {
    name: 'a system unit',
    facts: { failed: [{ unit: 'gate-daemon.service', user: undefined, lines: ['one', 'two'] }] },
    page: /^fail gate-daemon.service has failed\n {2}one\n {2}two\n {2}\$ systemctl reset-failed gate-daemon.service && systemctl restart gate-daemon.service$/,
  },
  {
    name: 'a user unit',
    facts: { failed: [{ unit: 'gate-qwen.service', user: 'gate-qwen', lines: [] }] },
    page: /^fail gate-qwen.service of gate-qwen has failed[\s\S]*systemctl --user --machine=gate-qwen@.host restart gate-qwen.service$/,
  },
  {
    name: 'not seen',
    facts: { unseen: ['gate-qwen'], isRoot: false },
    page: /^ok[^\n]*\nskip units of gate-qwen\n.*as root/,
  },
  {
    name: 'no systemd',
    facts: { isAnswering: false, problem: 'no bus' },
    page: /^fail systemd does not answer\n {2}no bus/,
  },
])('units: $name', ({ facts, page }) => {
  expect(pageOf(units, { ...UNITS, ...facts })).toMatch(page)
})

const STATUS: DaemonStatus = {
  state: 'ready',
  version: '1.2.3',
  pid: 1,
  started_at: '2026-11-20T12:00:00Z',
  listen: [],
  requests_in_flight: 2,
  upstreams: [],
  problems: [],
  store: { path: '/var/lib/gate/gate.db', backlog_rows: 0 },
}
const ANSWERS = (status: Partial<DaemonStatus>): DaemonView => ({
  kind: 'answers',
  status: { ...STATUS, ...status },
  baseUrls: {},
  tls: undefined,
  relay: undefined,
})
test.each<{ name: string; view: DaemonView; page: RegExp }>([
  { name: 'ready', view: ANSWERS({}), page: /^ok version 1.2.3, ready, 2 requests in flight$/ },
  {
    name: 'another version',
    view: ANSWERS({ version: '1.2.2' }),
    page: /^warn the daemon has version 1.2.2, gatectl 1.2.3[\s\S]*systemctl restart gate-daemon.service$/,
  },
  { name: 'draining', view: ANSWERS({ state: 'draining' }), page: /^fail the daemon is draining/ },
  {
    name: 'cannot write',
    view: ANSWERS({ store: { path: '/x', backlog_rows: 3, last_error: 'disk full' } }),
    page: /^fail the daemon cannot write \/x\n {2}disk full; 3 rows wait/,
  },
  {
    name: 'cannot write for long',
    view: ANSWERS({
      not_ready: 'usage cannot be recorded',
      store: { path: '/x', backlog_rows: 3, last_error: 'disk full' },
    }),
    page: /^fail the daemon cannot write \/x\n {2}disk full; 3 rows wait; new requests are refused/,
  },
  {
    name: 'a problem',
    view: ANSWERS({
      problems: [
        { code: 'UNKNOWN_KEY', layer: 'runtime', where: 'config.toml:2:1', key: 'log.lvl', message: 'no such key' },
      ],
    }),
    page: /^fail configuration, config.toml:2:1: no such key[\s\S]*\$ gatectl config unset log.lvl$/,
  },
  {
    name: 'silent',
    view: { kind: 'silent', reason: 'no program listens', hint: undefined },
    page: /^fail the daemon does not answer\n {2}no program listens\n {2}\$ systemctl start gate-daemon.socket/,
  },
  {
    name: 'denied',
    view: { kind: 'silent', reason: '/run/gate/admin.sock (permission denied)', hint: 'join gate-admin' },
    page: /^skip the daemon\n {2}join gate-admin$/,
  },
])('daemon: $name', ({ view, page }) => {
  expect(pageOf(daemon, { view, version: '1.2.3', unit: 'gate-daemon', serves: 'plain' })).toMatch(page)
})

test.each([
  { serves: 'plain', sockets: 'gate-daemon.socket gate-daemon-admin.socket' },
  { serves: 'tls', sockets: 'gate-daemon.socket gate-daemon-admin.socket gate-daemon-https.socket' },
  {
    serves: 'redirects',
    sockets: 'gate-daemon.socket gate-daemon-admin.socket gate-daemon-https.socket gate-daemon-http.socket',
  },
] as const)('daemon: one that serves $serves is started with its sockets', ({ serves, sockets }) => {
  const view = { kind: 'silent', reason: 'no program listens', hint: undefined } as const
  const facts = { view, version: '1.2.3', unit: 'gate-daemon', serves } as const
  expect(pageOf(daemon, facts)).toContain(`$ systemctl start ${sockets} gate-daemon.service`)
})

test.each<{ answer: AgentFacts['agents'][number]['answer']; page: RegExp }>([
  { answer: 'listens', page: /^ok / },
  { answer: 'done', page: /^ok that of gate-qwen answers$/ },
  {
    answer: 'absent',
    page: /^fail the agent of gate-qwen does not listen[\s\S]*\$ systemctl --user --machine=gate-qwen@.host restart gate-agent.socket$/,
  },
  { answer: 'silent', page: /^fail the agent of gate-qwen does not answer\n {2}no program answers/ },
  { answer: { error: 'FAILED' }, page: /^fail the agent of gate-qwen does not answer\n {2}FAILED/ },
  { answer: 'denied', page: /^skip the agent of gate-qwen/ },
])('agents: $answer', ({ answer, page }) => {
  expect(pageOf(agents, { agents: [{ user: 'gate-qwen', path: '/run/x.sock', hasShells: true, answer }] })).toMatch(
    page,
  )
})

test('agents: one that answers, and whose shell socket does not listen', () => {
  const agent = { user: 'gate-qwen', path: '/run/x.sock', hasShells: false, answer: 'done' as const }
  expect(pageOf(agents, { agents: [agent] })).toMatch(
    /^fail the shell socket of gate-qwen does not listen[\s\S]*restart gate-shell.socket$/,
  )
})

const UPSTREAM: UpstreamFacts['upstreams'][number] = {
  name: 'openai',
  url: 'https://api.openai.com/v1',
  reached: { kind: 'yes' },
  daemon: undefined,
}
const lost = (code: string): Partial<typeof UPSTREAM> => ({ reached: { kind: 'no', code, message: `it said ${code}` } })
test.each<{ name: string; upstream: Partial<typeof UPSTREAM>; page: RegExp }>([
  { name: 'reached', upstream: {}, page: /^ok openai \(api.openai.com\) can be reached$/ },
  {
    name: 'no name',
    upstream: lost('ENOTFOUND'),
    page: /^fail openai .* cannot be reached\n {2}it said ENOTFOUND\n {2}\$ getent ahosts api.openai.com$/,
  },
  {
    name: 'refused',
    upstream: lost('ECONNREFUSED'),
    page: /> the machine api.openai.com: start what should listen on port 443/,
  },
  { name: 'a bad certificate', upstream: lost('CERT_HAS_EXPIRED'), page: /update-ca-certificates$/ },
  { name: 'out of time', upstream: lost('ETIMEDOUT'), page: /\$ curl --verbose/ },
  {
    name: 'down for the daemon',
    upstream: { daemon: { state: 'down', lastError: 'HTTP 401' } },
    page: /^fail openai .* is down for the daemon\n {2}HTTP 401;[\s\S]*upstreams.openai.api_key --file KEYFILE$/,
  },
  {
    name: 'an address that the spec does not open',
    upstream: { daemon: { state: 'down', lastError: 'connect EHOSTUNREACH 10.0.0.9:80: … (gate.network.allow)' } },
    page: /^fail openai .* is down for the daemon\n[\s\S]*> the spec: let the daemon connect to api.openai.com in gate.network.allow/,
  },
])('upstreams: $name', ({ upstream, page }) => {
  expect(pageOf(upstreams, { upstreams: [{ ...UPSTREAM, ...upstream }] })).toMatch(page)
})

test('reaches a port that listens, says why it does not reach another, and sends nothing', async () => {
  let received = 0
  const server = createServer((socket) => socket.on('data', (chunk) => (received += chunk.length)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const signal = new AbortController().signal
  expect(await reach(`http://127.0.0.1:${port}/v1`, signal)).toEqual({ kind: 'yes' })
  await new Promise((resolve) => server.close(resolve))
  expect(received).toBe(0)
  expect(await reach(`http://127.0.0.1:${port}/v1`, signal)).toMatchObject({ kind: 'no', code: 'ECONNREFUSED' })
})

const GENERATION: Extract<GenerationFacts, { kind: 'read' }> = {
  kind: 'read',
  current: 3,
  committed: 3,
  changed: [],
  lost: [],
  unseen: 0,
  astray: [],
  count: 40,
}
test.each<{ name: string; facts: GenerationFacts; page: RegExp }>([
  { name: 'none', facts: { kind: 'none', isWaiting: false }, page: /^ok nothing was applied/ },
  {
    name: 'E4 none, and a spec',
    facts: { kind: 'none', isWaiting: true },
    page: /^fail the spec was not applied to this host\n.*\n\s*\$ gatectl apply$/,
  },
  { name: 'whole', facts: GENERATION, page: /^ok generation 3: 40 files as they were written$/ },
  { name: 'no current', facts: { ...GENERATION, current: undefined }, page: /^fail no generation is current/ },
  {
    name: 'cut off',
    facts: { ...GENERATION, committed: 2 },
    page: /^warn generation 3 was never seen to work\n.*worked is 2/,
  },
  {
    name: 'drift',
    facts: { ...GENERATION, changed: ['/etc/a', '/etc/b'] },
    page: /^warn \/etc\/a and \/etc\/b were changed by hand[\s\S]*\$ gatectl apply$/,
  },
  { name: 'lost', facts: { ...GENERATION, lost: ['/etc/a'] }, page: /^fail \/etc\/a is gone/ },
  {
    name: 'astray',
    facts: { ...GENERATION, astray: ['/etc/l'] },
    page: /^fail \/etc\/l does not point to the current generation/,
  },
  { name: 'unseen', facts: { ...GENERATION, unseen: 2 }, page: /^skip 2 of 40 files/ },
  {
    name: 'unreadable',
    facts: { kind: 'unreadable', message: 'm', hint: undefined },
    page: /^fail a generation cannot be read\n {2}m/,
  },
])('generation: $name', ({ facts, page }) => {
  expect(pageOf(generation, facts)).toMatch(page)
})
