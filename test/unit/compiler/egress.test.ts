// What the daemon of a spec may connect to: the rules for its account, and the addresses of its unit.
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'
import { isLocalName } from '../../../schemas/words/address.ts'

type Upstream = { readonly provider?: string; readonly base_url?: string; readonly socket?: string }
type Row = {
  readonly name: string
  readonly upstreams?: Record<string, Upstream>
  readonly alerts?: object
  readonly gate?: object
  readonly proxy?: object
  readonly settings?: object
  /** Rules between those that every table has. */
  readonly rules: readonly string[]
  /** Directives of the drop-in. */
  readonly unit: readonly string[]
}

const INTERNET = [
  expect.stringMatching(/^ip daddr != \{ 0\.0\.0\.0\/8, 10\.0\.0\.0\/8, .* \} accept$/),
  expect.stringMatching(/^ip6 daddr != \{ .*fc00::\/7.* \} accept$/),
]
const DNS = ['udp dport 53 accept', 'tcp dport 53 accept']
const NO_HOST = 'fib daddr type local reject with icmpx admin-prohibited'
const ACME = { email: 'me@example.org', domains: ['ai.example.org'] }
const custom = (base_url: string) => ({ x: { provider: 'custom', base_url } })

const rows: readonly Row[] = [
  { name: 'no upstream', rules: [NO_HOST], unit: ['IPAddressDeny=any'] },
  {
    name: 'an engine on loopback, at its usual port',
    upstreams: { ollama: { provider: 'ollama' } },
    rules: ['ip daddr 127.0.0.1 tcp dport 11434 accept', NO_HOST],
    unit: ['IPAddressDeny=any', 'IPAddressAllow=127.0.0.1'],
  },
  {
    name: 'localhost, which is two addresses',
    upstreams: custom('http://localhost:9000/v1'),
    rules: ['ip daddr 127.0.0.1 tcp dport 9000 accept', 'ip6 daddr ::1 tcp dport 9000 accept', NO_HOST],
    unit: ['IPAddressDeny=any', 'IPAddressAllow=127.0.0.1 ::1'],
  },
  {
    name: 'an address without a port',
    upstreams: custom('https://[FD00::5]/v1'),
    rules: ['ip6 daddr fd00::5 tcp dport 443 accept', NO_HOST],
    unit: ['IPAddressDeny=any', 'IPAddressAllow=fd00::5'],
  },
  {
    name: 'an address in another form, as the daemon reads it',
    upstreams: custom('http://127.1:9000/v1'),
    rules: ['ip daddr 127.0.0.1 tcp dport 9000 accept', NO_HOST],
    unit: ['IPAddressDeny=any', 'IPAddressAllow=127.0.0.1'],
  },
  {
    name: 'what IPv6 wraps',
    upstreams: custom('http://[::ffff:10.0.0.5]/v1'),
    rules: ['ip daddr 10.0.0.5 tcp dport 80 accept', NO_HOST],
    unit: ['IPAddressDeny=any', 'IPAddressAllow=10.0.0.5'],
  },
  {
    name: 'what is no URL to the daemon opens nothing',
    upstreams: custom('http://[fe80::1%25eth0]/v1'),
    rules: [NO_HOST],
    unit: ['IPAddressDeny=any'],
  },
  {
    name: 'a provider of the Internet: its name has to be looked up, wherever the name server is',
    upstreams: { openai: { provider: 'openai' } },
    rules: [...DNS, NO_HOST, ...INTERNET],
    unit: [],
  },
  {
    name: 'the same where the name servers are known',
    upstreams: { openai: { provider: 'openai' } },
    gate: { network: { resolvers: ['192.168.1.1'] } },
    rules: [
      'ip daddr 192.168.1.1 udp dport 53 accept',
      'ip daddr 192.168.1.1 tcp dport 53 accept',
      NO_HOST,
      ...INTERNET,
    ],
    unit: [expect.stringMatching(/^IPAddressDeny=.*10\.0\.0\.0\/8.*fe80::\/10/), 'IPAddressAllow=192.168.1.1'],
  },
  {
    name: 'a name of the local network and its range',
    upstreams: custom('http://nas.lan:8080/v1'),
    gate: { network: { allow: ['192.168.1.0/24'] } },
    rules: [...DNS, 'ip daddr 192.168.1.0/24 accept', NO_HOST],
    unit: [],
  },
  {
    name: 'an upstream that only the settings name',
    settings: { upstreams: { late: { provider: 'custom', base_url: 'http://10.1.2.3:81/v1' } } },
    rules: ['ip daddr 10.1.2.3 tcp dport 81 accept', NO_HOST],
    unit: ['IPAddressDeny=any', 'IPAddressAllow=10.1.2.3'],
  },
  {
    name: 'a socket in /run',
    upstreams: { x: { provider: 'custom', socket: '/var/run/vllm/a.sock', base_url: 'http://localhost/v1' } },
    rules: [NO_HOST],
    unit: ['BindReadOnlyPaths=-/run/vllm', 'IPAddressDeny=any'],
  },
  {
    name: 'a search for engines',
    gate: { discovery: { enabled: true } },
    rules: [
      ...[11_434, 8_080, 9_931, 8_000, 1_234].map((port) => `ip daddr 127.0.0.1 tcp dport ${port} accept`),
      NO_HOST,
    ],
    unit: ['IPAddressDeny=any', 'IPAddressAllow=127.0.0.1'],
  },
  {
    name: 'a CA of the host, which is asked for nothing',
    gate: { tls: { internal_ca: true, names: ['lan.home.arpa'] } },
    rules: [NO_HOST],
    unit: ['IPAddressDeny=any'],
  },
  {
    name: 'a CA of the Internet',
    gate: { tls: { acme: ACME } },
    rules: [...DNS, NO_HOST, ...INTERNET],
    unit: [],
  },
  {
    name: 'a CA at an address, and a name server that takes updates',
    gate: {
      tls: {
        acme: {
          ...ACME,
          directory: 'https://10.0.0.9:9000/acme/directory',
          challenge: 'dns-01',
          dns: { provider: 'rfc2136', server: '[fd00::53]:5353', zone: 'example.org', key_name: 'k' },
        },
      },
    },
    rules: ['ip daddr 10.0.0.9 tcp dport 9000 accept', 'ip6 daddr fd00::53 tcp dport 5353 accept', NO_HOST],
    unit: ['IPAddressDeny=any', 'IPAddressAllow=10.0.0.9 fd00::53'],
  },
  {
    name: 'an API of DNS, which is not asked for another challenge',
    gate: {
      tls: {
        acme: {
          ...ACME,
          directory: 'https://10.0.0.9/',
          dns: { provider: 'cloudflare', api: 'https://10.0.0.8/', api_token: { credential: 't' } },
        },
      },
    },
    rules: ['ip daddr 10.0.0.9 tcp dport 443 accept', NO_HOST],
    unit: ['IPAddressDeny=any', 'IPAddressAllow=10.0.0.9'],
  },
  {
    name: 'certificates of Tailscale alone',
    gate: { tls: { acme: { ...ACME, domains: ['box.example.ts.net'] } } },
    rules: [NO_HOST],
    unit: ['BindReadOnlyPaths=-/run/tailscale', 'IPAddressDeny=any'],
  },
  {
    name: 'alarms, whose address is a secret',
    gate: { tls: { internal_ca: true, names: ['lan.home.arpa'], alarm_webhook: { credential: 'alarm' } } },
    rules: [...DNS, NO_HOST, ...INTERNET],
    unit: [],
  },
  {
    name: 'alerts, whose addresses are secrets',
    alerts: { ops: { kind: 'ntfy', url: { credential: 'ops' } } },
    rules: [...DNS, NO_HOST, ...INTERNET],
    unit: [],
  },
  {
    name: 'alerts that the settings name',
    settings: { alerts: { ops: { kind: 'ntfy' } } },
    rules: [...DNS, NO_HOST, ...INTERNET],
    unit: [],
  },
  {
    name: 'alerts that are off',
    alerts: { ops: { enabled: false, kind: 'ntfy', url: { credential: 'ops' } } },
    rules: [NO_HOST],
    unit: ['IPAddressDeny=any'],
  },
  {
    name: 'a CA that a proxy of this host asks',
    gate: { domain: 'ai.example.org', tls: { acme: ACME } },
    proxy: { engine: 'caddy' },
    rules: [NO_HOST],
    unit: ['IPAddressDeny=any'],
  },
]

test.each(rows)('$name', ({ upstreams = {}, alerts = {}, gate = {}, proxy = {}, settings = {}, rules, unit }) => {
  const made = compiled({ upstreams, alerts, gate, proxy }, settings)
  const all = made
    .text('nftables/egress.nft')
    .split('\n')
    .map((line) => line.trim())
  const [from, to] = [all.indexOf('chain account {'), all.lastIndexOf('reject with icmpx admin-prohibited')]
  expect(all).toContain('meta skuid "gate" tcp flags & (fin | syn | rst | ack) == syn goto account')
  expect(all).toContain('meta skuid "gate" meta l4proto != tcp ct state new goto account')
  expect(all.slice(from + 1, to)).toEqual(rules)
  // beside the table, so that a unit without it starts
  const required = made.text('nftables/gate-daemon.service.d/50-egress.conf').split('\n')
  expect(required).toContain('After=gate-egress.service')
  expect(required).toContain('Requires=gate-egress.service')
  const reach = 'systemd/system/gate-daemon.service.d/50-reach.conf'
  const dropIn = made.paths.includes(reach) ? made.text(reach).split('\n') : ['[Service]']
  expect(dropIn.slice(dropIn.indexOf('[Service]') + 1).filter((line) => line !== '')).toEqual(unit)
})

/** The table of a host with a backend at port 8222. */
function withPort(): string {
  const image = `localhost/engine@sha256:${'0'.repeat(64)}`
  const engine = { engine: 'custom', image, listen: 'tcp', container_port: 8000, health: { command: ['true'] } }
  return compiled({ backends: { web: { ...engine, port: 8222 }, own: engine } }).text('nftables/egress.nft')
}

test('at the port of a backend on the host its own account alone answers', () => {
  const lines = withPort().split('\n')
  const from = lines.findIndex((line) => line.includes('chain reserved'))
  expect(lines.slice(from + 1, from + 6).map((line) => line.trim())).toEqual([
    'ip saddr 127.0.0.1 tcp sport 8222 meta skuid 40001 accept',
    'ip saddr 127.0.0.1 tcp sport 8222 drop',
    'ip6 saddr ::1 tcp sport 8222 meta skuid 40001 accept',
    'ip6 saddr ::1 tcp sport 8222 drop',
    '}',
  ])
})

test('another account answers neither at ::1 nor by connecting to a client that waits', () => {
  const chain = (name: string, hook: string, rules: string) => `chain ${name} { type filter hook ${hook}; ${rules} }`
  const counters = 'ip saddr 127.0.0.1 tcp sport 8222 counter; ip6 saddr ::1 tcp sport 8222 counter;'
  // as if its listener had a filter that lets no packet in, which any login may set: clients go on waiting
  const waiting = 'ip daddr 127.0.0.1 tcp dport 8222 tcp flags & (syn | ack) == syn drop;'
  const seen = `table inet seen {
    ${chain('tried', 'output priority filter - 10', counters)}
    ${chain('sent', 'output priority filter + 10', counters)}
    ${chain('waiting', 'input priority filter', waiting)}
  }`
  const both = `
    const { connect, createServer } = require('node:net')
    connect({ host: '127.0.0.1', port: 8222, localPort: 45678 })
    connect({ host: '127.0.0.1', port: 45678, localPort: 8222 })
    const server = createServer().listen(8222, '::1', () => connect({ host: '::1', port: 8222 }))
    process.stdin.resume().on('end', () => process.exit())`
  const script = `set -e
    ip link set lo up
    echo "$1" | nft -f -
    echo "$2" | nft -f -
    packets() { nft list chain inet seen "$1" | grep -c 'counter packets [1-9]' || true; }
    for try in $(seq 100); do
      [ "$(packets tried)" = 2 ] && break
      sleep 0.1
    done | "$3" -e "$4"
    echo "$(packets tried) $(packets sent)"`
  const args = ['-rn', 'sh', '-c', script, 'sh', withPort().replaceAll('"gate"', '1'), seen, process.execPath, both]
  expect(execFileSync('unshare', args, { encoding: 'utf8' })).toBe('2 0\n')
}, 30_000)

test('what the kernel sends itself is left alone', () => {
  const rules = compiled({}).text('nftables/egress.nft').replaceAll('"gate"', '0')
  const seen =
    'table inet seen { chain output { type filter hook output priority filter + 10; meta l4proto igmp counter; }; }'
  const script = `set -e
    ip link add d0 type veth peer name d1
    for link in lo d0 d1; do ip link set $link up; done
    ip address add 192.0.2.1/24 dev d0
    echo "$1" | nft -f -
    echo "$2" | nft -f -
    ip address add 239.1.2.3/32 dev d0 autojoin # the kernel tells the network, by IGMP
    for try in $(seq 100); do
      nft list table inet seen | grep -q 'packets 0 ' || exit 0
      sleep 0.1
    done
    exit 1`
  execFileSync('unshare', ['-rn', 'sh', '-c', script, 'sh', rules, seen])
}, 30_000)

test('"any" leaves the daemon as free as it was', () => {
  const made = compiled({ gate: { network: { allow: ['any'] } } })
  expect(made.paths.filter((path) => /egress|50-reach/.test(path))).toEqual([])
})

test.each([
  { name: 'is warned about', allow: [], found: [{ code: 'UNKNOWN_ADDRESS', path: 'upstreams.x.base_url' }] },
  { name: 'is not, once a range is open', allow: ['192.168.0.0/16'], found: [] },
])('a name of the local network $name', ({ allow, found }) => {
  const spec = { gate: { network: { allow } }, upstreams: custom('http://nas.local:8080/v1') }
  const diagnostics = compiled(spec).diagnostics.filter(({ code }) => code === 'UNKNOWN_ADDRESS')
  expect(diagnostics).toMatchObject(found)
  expect(diagnostics).toHaveLength(found.length)
})

test.each(['lan', '10.0.0.0/33', 'internet ', '1.2.3.4:80'])('%j is no address to allow', (allow) => {
  const result = compile(JSON.stringify({ gate: { network: { allow: [allow] } } }), { targets: ['nftables'] })
  expect(result.kind === 'refused' && result.diagnostics[0]?.path).toBe('gate.network.allow[0]')
})

test.each([
  ['nas', true],
  ['x.localhost', true],
  ['nas.local', true],
  ['gpu.home.arpa', true],
  ['box.tail1234.ts.net', true],
  ['192.168.1.20', false],
  ['api.openai.com', false],
  ['local.example.org', false],
])('%s is a name of the local network: %s', (host, isLocal) => expect(isLocalName(host)).toBe(isLocal))

function compiled(spec: object, settings: object = {}) {
  const result = compile(JSON.stringify(spec), { targets: ['nftables', 'systemd'], settings: { ...settings } })
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics))
  const { files, diagnostics } = result
  return {
    diagnostics,
    paths: files.map(({ path }) => path),
    text: (path: string) => files.find((file) => file.path === path)?.text ?? '',
  }
}
