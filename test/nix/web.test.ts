// A12: what the modules make of a proxy, a name server, certificates, GPUs and lingering accounts.
import { describe, expect, test } from 'vitest'
import { compile } from '../../compiler/compile.ts'
import { hasNix } from '../support/nix.ts'
import { evaluateSamples, MODULES, type NixosHost } from '../support/nixos.ts'

const gateway = (options: string, more = '') =>
  [MODULES, `{ services.gate-daemon = { enable = true; ${options} }; ${more} }`] as const
const backend = (options = '') =>
  `backends.own = { engine = "custom"; uid = 40000; image = "example.org/engine@sha256:${'0'.repeat(64)}"; ${options} };`
const acme = (challenge: string) =>
  `domain = "ai.example.org"; tls.acme = { email = "me@example.org"; domains = [ "ai.example.org" ]; challenge = "${challenge}"; };`
const tailnet = 'domain = "ai.home.arpa"; dns = { engine = "dnsmasq"; listen = "tailscale0"; };'
const caddy = 'domain = "ai.home.arpa"; tls.internalCa = true; proxy.engine = "caddy";'
const nvidia = 'services.xserver.videoDrivers = [ "nvidia" ];'

const HOSTS = {
  acme: gateway(`${acme('http-01')} proxy.engine = "nginx";`),
  dns: gateway(tailnet, 'services.dnsmasq = { enable = true; settings.server = [ "192.0.2.53" ]; };'),
  'dns of an instance': gateway(`instances.lab = { enable = true; port = 3100; p2pPort = 41247; ${tailnet} };`),
  nvidia: gateway(backend('gpu.kind = "nvidia";'), nvidia),
  'no GPU': gateway(backend()),
  'own Caddy, nginx for the gateway': gateway(
    `${acme('http-01')} proxy.engine = "nginx";`,
    'services.caddy = { enable = true; virtualHosts."blog.example.org".extraConfig = "respond hello"; };',
  ),
  open: gateway('openFirewall = true;'),
  'open, nginx': gateway(`openFirewall = true; ${acme('http-01')} proxy.engine = "nginx";`),
  'open, nginx without TLS': gateway(
    'openFirewall = true; domain = "ai.example.org"; proxy = { engine = "nginx"; httpPort = 8080; };',
  ),
  'a CA of the host, nginx': gateway('domain = "ai.home.arpa"; tls.internalCa = true; proxy.engine = "nginx";'),
  'open on one interface, Caddy': gateway(`openFirewallOnInterfaces = [ "lan0" ]; ${caddy}`),
} as const

const LINGER = 'is off, so nothing of backend own starts at boot'
const WRONG = [
  {
    name: 'dns-01 with nginx',
    modules: gateway(`${acme('dns-01')} proxy.engine = "nginx";`),
    failed: 'needs a DNS provider',
  },
  ...[
    'virtualHosts."blog.example.org".extraConfig = "respond hello";',
    'extraConfig = "blog.example.org";',
    'globalConfig = "debug";',
  ].map((own) => ({
    name: `Caddy beside services.caddy.${own.split(/[. ]/)[0]}`,
    modules: gateway(caddy, `services.caddy.${own}`),
    failed: `without services.caddy.${own.split(/[. ]/)[0]}`,
  })),
  { name: 'dns-01 without a proxy', modules: gateway(acme('dns-01')) },
  { name: 'Caddy with sites of the gateway alone', modules: gateway(caddy, 'services.caddy.enable = true;') },
  { name: 'an account that lingers', modules: gateway(backend()) },
  ...['false', 'null'].map((linger) => ({
    name: `linger = ${linger}`,
    modules: gateway(
      backend(),
      `users.users.gate-own.linger = { _type = "override"; priority = 50; content = ${linger}; };`,
    ),
    warned: LINGER,
  })),
]

describe.skipIf(!hasNix)('A12 (needs nix-bin)', () => {
  const { hosts, wrong } = hasNix
    ? evaluateSamples(HOSTS, Object.fromEntries(WRONG.map(({ name, modules }) => [name, modules])))
    : { hosts: {}, wrong: {} }
  const hostOf = (name: keyof typeof HOSTS): NixosHost => hosts[name] ?? expect.unreachable()

  test.each(Object.keys(HOSTS) as (keyof typeof HOSTS)[])('A12: nothing is wrong with: %s', (name) =>
    expect(hostOf(name).failed).toEqual([]),
  )

  test('A12: nginx starts between the first certificate and the order of the real one', () => {
    expect(hostOf('acme').systemd.services['nginx']).toMatchObject({
      wants: ['acme-ai.example.org.service'],
      after: ['acme-ai.example.org.service'],
      before: ['acme-order-renew-ai.example.org.service'],
    })
  })

  test.each([
    ['acme', 'nginx'],
    ['open, nginx', 'nginx'],
  ] as const)('the daemon of %s has a socket for the group of %s alone', (name, group) => {
    expect(hostOf(name).systemd.sockets['gate-daemon']?.['socketConfig']).toMatchObject({
      ListenStream: ['127.0.0.1:3000', '/run/gate/proxy.sock'],
      SocketGroup: group,
      SocketMode: '0660',
    })
  })

  test.each(['open on one interface, Caddy', 'a CA of the host, nginx'] as const)(
    'certificates of the CA of the host are there before the proxy of: %s',
    (name) => {
      const { systemd, environment } = hostOf(name)
      const source = environment.etc['gate/ca.json']?.source
      expect(source).toMatch(/-files\/ca\.json$/)
      expect(systemd.services['gate-ca']).toMatchObject({
        wantedBy: ['multi-user.target'],
        restartTriggers: [source],
      })
      const proxy = name.endsWith('nginx') ? 'nginx' : 'caddy'
      expect(systemd.services[proxy]).toMatchObject({ requires: ['gate-ca.service'], after: ['gate-ca.service'] })
      expect(systemd.timers['gate-ca-renew']?.wantedBy).toEqual(['timers.target'])
    },
  )

  test.each([
    ['dns', 'gate'],
    ['dns of an instance', 'gate-lab'],
  ] as const)("A12: %s has a name server of its own; the host's is as it was", (name, prefix) => {
    const { services, systemd, environment, builds } = hostOf(name)
    expect(services.dnsmasq).toEqual(
      name === 'dns'
        ? { enable: true, resolveLocalQueries: true, settings: { server: ['192.0.2.53'] } }
        : { enable: false, resolveLocalQueries: true, settings: {} },
    )
    const source = environment.etc[`${prefix}/dnsmasq.conf`]?.source
    expect(source).toMatch(/-files\/dnsmasq\/dnsmasq\.conf$/)
    expect(builds.map(({ path }) => `${path}/dnsmasq/dnsmasq.conf`)).toContain(source)
    expect(systemd.services[`${prefix}-dns`]).toMatchObject({
      wantedBy: ['multi-user.target'],
      restartTriggers: [source],
    })
  })

  test('A12: the manager of an account with an NVIDIA GPU waits for the list of devices', () => {
    const after = (name: keyof typeof HOSTS) => hostOf(name).systemd.services['user@40000']?.after
    expect(after('nvidia')).toEqual(['nvidia-container-toolkit-cdi-generator.service'])
    expect(after('no GPU')).toEqual([])
  })

  test.each([
    ['open', [3000, 41147]],
    ['open, nginx', [80, 41147, 443]],
    ['open, nginx without TLS', [8080, 41147]],
  ] as const)('A12: the firewall of "%s" lets in %j', (name, ports) => {
    expect(hostOf(name).networking.firewall.allowedTCPPorts).toEqual(ports)
  })

  test('A12: on one interface as well', () => {
    const { allowedTCPPorts, interfaces } = hostOf('open on one interface, Caddy').networking.firewall
    expect({ allowedTCPPorts, lan: interfaces['lan0']?.allowedTCPPorts }).toEqual({
      allowedTCPPorts: [],
      lan: [80, 41147, 443],
    })
  })

  test.each(WRONG)('A12: $name', ({ name, ...expected }) => {
    const { failed = '', warned = '' } = { failed: '', warned: '', ...expected }
    expect(wrong[name]).toEqual({
      failed: failed === '' ? [] : [expect.stringContaining(failed)],
      warnings: warned === '' ? [] : [expect.stringContaining(warned)],
    })
  })
})

test.each([
  ['nginx', 'dns-01', 'refused'],
  ['nginx', 'http-01', 'compiled'],
  ['none', 'dns-01', 'compiled'],
])('A12: a spec with %s and %s is %s for the target nix', (engine, challenge, kind) => {
  const result = compile(
    `[gate]
domain = "ai.example.org"
[gate.tls.acme]
email = "me@example.org"
domains = ["ai.example.org"]
challenge = "${challenge}"
dns = { provider = "cloudflare", api_token = { credential = "dns" } }
[proxy]
engine = "${engine}"`,
    { targets: ['nix'] },
  )
  expect(result.kind).toBe(kind)
  const told = { code: 'NOT_EXPRESSIBLE', path: 'gate.tls.acme.challenge', span: expect.objectContaining({ line: 6 }) }
  if (kind === 'refused') expect(result.diagnostics).toEqual([expect.objectContaining(told)])
})
