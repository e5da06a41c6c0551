import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { compile } from '../../compiler/compile.ts'
import type { RelayStatus } from '../../schemas/relay-admin.ts'
import { isLong } from '../support/effort.ts'
import { hasNix, NIX_TESTS } from '../support/nix.ts'
import { evaluateHosts, MODULES, unitText } from '../support/nixos.ts'
import { write } from './deploy.ts'
import { bootGate, type GateLab } from './gate.ts'
import { describeInLab } from './suite.ts'

const DOMAIN = 'gate.hellas.ai'
const SPEC = `[relays.default]
domain_suffix = "${DOMAIN}"
[relays.office]
https_port = 8443
p2p_port = 31146
bind_address = "127.0.0.1"
allow_from = ["127.0.0.0/8"]
limits = { names_per_node = 1 }
`
const NODE_CERTIFICATE = '/etc/gate/node'

describeInLab('gate-relay@', () => {
  let gate: GateLab
  beforeAll(async () => {
    gate = await bootGate('relay')
    mkdirSync(gate.path('/run/secrets'), { recursive: true })
    await gate.run(['useradd', '--create-home', 'someone'])
    await gate.run(['useradd', '--create-home', '--groups', 'gate-admin', 'keeper'])
  })
  afterAll(() => gate?.down())

  const units = (instance: string) => ['https', 'p2p', 'admin'].map((name) => `gate-relay-${name}@${instance}.socket`)
  const isActive = async (unit: string) => (await gate.exec(['systemctl', 'is-active', unit])).code === 0
  const status = async (instance: string): Promise<RelayStatus> =>
    JSON.parse(await gate.run(['gatectl', 'relay', 'status', '--json', '--instance', instance]))

  async function startRelay(instance: string): Promise<void> {
    await gate.run(['systemctl', 'start', ...units(instance), `gate-relay@${instance}.service`], { timeoutMs: 60_000 })
    await vi.waitUntil(() => isActive(`gate-relay@${instance}.service`), { timeout: 30_000 })
  }

  /** A daemon of this host joins a relay of this host. @returns host name of its key */
  async function join_(instance: string, port: number): Promise<string> {
    const { pin, domain } = await status(instance)
    const relay = { enable: true, addresses: [`127.0.0.1:${port}`], pins: [pin], domain, custom_domain: 'myserver' }
    const files = { cert: `${NODE_CERTIFICATE}.crt`, key: `${NODE_CERTIFICATE}.key` }
    gate.declare({ relay, tls: { host: '127.0.0.1', https_port: 9443, files } })
    const { code } = await gate.exec(['systemctl', 'restart', 'gate-daemon.service'])
    if (code !== 0) expect.unreachable(await gate.run(['journalctl', '-n', '20', '-o', 'cat', '-u', 'gate-daemon']))
    const joined = async () =>
      (await gate.run(['gatectl', 'relay', 'nodes', '--json', '--instance', instance])).includes(`myserver.${domain}`)
    await vi.waitUntil(joined, { timeout: 30_000 })
    return `myserver.${domain}`
  }

  const visit = (host: string, port: number) =>
    gate.run([
      'curl',
      '-sk',
      '--max-time',
      '10',
      '--resolve',
      `${host}:${port}:127.0.0.1`,
      `https://${host}:${port}/health`,
    ])

  test('on Debian: compiled units start, a node joins, a visitor is served, and only operators look after it', async () => {
    const compiled = compile(SPEC, { targets: ['systemd'], systemd: 257 })
    if (compiled.kind === 'refused') return expect.unreachable(JSON.stringify(compiled.diagnostics))
    for (const { install, text, mode } of compiled.files)
      if (install?.includes('gate-relay') === true) write(gate, install, text, mode)
    await gate.run([
      'openssl',
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=node',
      '-addext',
      `subjectAltName=DNS:myserver.${DOMAIN},DNS:myserver.gate.internal`,
      '-keyout',
      `${NODE_CERTIFICATE}.key`,
      '-out',
      `${NODE_CERTIFICATE}.crt`,
    ])
    await gate.run(['chown', 'gate', `${NODE_CERTIFICATE}.key`, `${NODE_CERTIFICATE}.crt`])
    await gate.run(['systemctl', 'daemon-reload'])
    await startRelay('default')
    await startRelay('office')
    expect(await status('default')).toMatchObject({ domain: DOMAIN, listening: ['[::]:443', '[::]:31145'], nodes: 0 })
    expect(await status('office')).toMatchObject({
      instance: 'office',
      listening: ['127.0.0.1:8443', '127.0.0.1:31146'],
    })

    const host = await join_('default', 31_145)
    expect(await visit(host, 443)).toContain('ok')
    expect((await gate.exec(['gatectl', 'relay', 'nodes'], { user: 'keeper' })).code).toBe(0)
    expect((await gate.exec(['gatectl', 'relay', 'nodes'], { user: 'someone' })).stderr).toContain('permission denied')
    const pid = (await gate.run(['systemctl', 'show', '--value', '-P', 'MainPID', 'gate-relay@default.service'])).trim()
    expect((await gate.run(['ps', '-o', 'user=', '-p', pid])).trim()).not.toBe('root')

    // the sockets stay open over a restart, and so do the names
    await gate.run(['systemctl', 'restart', 'gate-relay@default.service'])
    await vi.waitUntil(async () => (await status('default')).nodes === 1, { timeout: 40_000 })
    expect(await visit(host, 443)).toContain('ok')
    await gate.run(['systemctl', 'reload', 'gate-relay@default.service'])
    expect(await visit(host, 443)).toContain('ok')
    await gate.run(
      [
        'systemctl',
        'stop',
        'gate-daemon.service',
        ...['default', 'office'].flatMap((one) => [...units(one), `gate-relay@${one}.service`]),
      ],
      { timeoutMs: 90_000 },
    )
    return undefined
  })

  test.skipIf(!hasNix)(
    'as NixOS makes them of its examples: started, a node joins, a visitor is served (needs nix-bin)',
    async () => {
      const samples = ['seed-relay', 'seed-relays']
      const hosts = evaluateHosts(
        Object.fromEntries(samples.map((name) => [name, [MODULES, join(NIX_TESTS, `samples/${name}.nix`)]])),
      )
      write(
        gate,
        '/run/secrets/gate-relay',
        'RELAY__DNS__CLOUDFLARE__API_TOKEN=your-token\nRELAY__DNS__CLOUDFLARE__ZONE_ID=0123abc\n',
        0o600,
      )
      for (const [name, instances] of [
        ['seed-relay', { default: 31_145 }],
        ['seed-relays', { public: 31_145, internal: 31_146 }],
      ] as const) {
        if (name === 'seed-relay' && !isLong) continue
        await gate.exec(['sh', '-c', 'rm -rf /etc/systemd/system/gate-relay*'])
        const { systemd } = hosts[name] ?? expect.unreachable()
        for (const [kind, all] of [
          ['service', systemd.services],
          ['socket', systemd.sockets],
        ] as const)
          for (const [unit, made] of Object.entries(all)) {
            if (!/^gate-relay(?:-https|-p2p|-admin)?@/.test(unit)) continue
            const path = `/etc/systemd/system/${unit}.${kind}`
            const text = unitText(made).replaceAll(/\/nix\/store\/gate\//g, '/usr/')
            write(gate, unit.endsWith('@') ? path : `${path}.d/overrides.conf`, text)
          }
        await gate.run(['systemctl', 'daemon-reload'])
        for (const instance of Object.keys(instances)) await startRelay(instance)
        const [[instance = '', port = 0] = []] = Object.entries(instances)
        const host = await join_(instance, port)
        expect(await visit(host, 443)).toContain('ok')
        await gate.run(
          [
            'systemctl',
            'stop',
            'gate-daemon.service',
            ...Object.keys(instances).flatMap((one) => [...units(one), `gate-relay@${one}.service`]),
          ],
          { timeoutMs: 90_000 },
        )
      }
    },
  )
})
