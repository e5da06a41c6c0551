import { copyFileSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compile } from '../../compiler/compile.ts'
import { layoutSchema } from '../../schemas/deploy/layout.ts'
import { validateCaddy } from '../support/caddy.ts'
import { throwAwayCertificate } from '../support/certificate.ts'
import { startDaemon } from '../support/daemon.ts'
import { isLong } from '../support/effort.ts'
import { gatectl } from '../support/gatectl-process.ts'
import { testNginx } from '../support/nginx.ts'
import { hasNix, NIX_TESTS } from '../support/nix.ts'
import { nixStore } from '../support/nix-build.ts'
import { evaluateSamples, MODULES, type NixosHost } from '../support/nixos.ts'
import { freePort, hasProgram, tryRun } from '../support/programs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

/** Built as the host would build them. */
const SAMPLES = [
  'backend-archive',
  'backend-nvidia',
  'backend-tcp',
  'instances',
  'settings',
  'web-acme',
  'web-caddy',
  'web-tailnet',
] as const

const TOOLS = ['bash', 'openssl', 'nginx', 'caddy', 'dnsmasq', 'systemd-analyze']
const hasTools = hasNix && TOOLS.every(hasProgram)

describe.skipIf(!hasTools || !isLong)(
  `what the NixOS modules build (needs npm run test:long, nix-bin, ${TOOLS.join(', ')})`,
  () => {
    const store = nixStore()
    const directory = temporaryDirectory()
    let hosts: Record<string, NixosHost> = {}
    let port = 0
    const built = new Map<string, string[]>()

    beforeAll(async () => {
      port = await freePort()
      const modules = SAMPLES.map((name) => [name, [MODULES, join(NIX_TESTS, 'samples', `${name}.nix`)]] as const)
      const running = `{ services.gate-daemon = { enable = true; port = ${port}; settings.log.format = "json"; settings.server.maxConcurrent = 7; }; }`
      const unfit = '{ services.gate-daemon = { enable = true; settings.upstreams.own.provider = "custom"; }; }'
      hosts = evaluateSamples(
        { ...Object.fromEntries(modules), running: [MODULES, running], unfit: [MODULES, unfit] },
        {},
      ).hosts
      throwAwayCertificate(directory.path, ['localhost'])
      for (const name of [...SAMPLES, 'running']) built.set(name, (hosts[name]?.builds ?? []).map(store.build))
    })
    afterAll(() => {
      store.remove()
      directory.remove()
    })

    const outOf = (name: string): string => built.get(name)?.[0] ?? expect.unreachable(`${name} was not built`)
    const read = (name: string, path: string): string => readFileSync(join(outOf(name), path), 'utf8')

    test.each(SAMPLES)('%s: every file that the host names is there', (name) => {
      const { environment, systemd, services } = hosts[name] ?? expect.unreachable()
      const configs = [/include (.*);/.exec(services.nginx.appendHttpConfig)?.[1], services.caddy.configFile]
      const named = [...Object.values(environment.etc).map(({ source }) => source), ...configs].filter((path) =>
        path?.includes('-files/'),
      )
      expect(named.length).toBeGreaterThan(0)
      for (const path of named) expect(existsSync(store.here(path ?? '')), path).toBe(true)
      const links = systemd.tmpfiles.rules.flatMap((rule) => rule.split(' ').at(-1) ?? [])
      for (const link of links) expect(Object.keys(environment.etc)).toContain(link.slice('/etc/'.length))
      for (const out of built.get(name) ?? []) expect(readdirSync(join(out, 'lib/tmpfiles.d'))).toHaveLength(1)
    })

    test.each(SAMPLES)('%s: every file is as the compiler makes it for the layout of the host', (name) => {
      const [build] = hosts[name]?.builds ?? []
      const { spec = '', lock = '', layout = '' } = build?.environment ?? {}
      const result = compile(store.here(spec), {
        targets: ['quadlet', 'systemd', 'nginx', 'caddy', 'dnsmasq', 'client'],
        lock,
        podman: { major: 5, minor: 8 },
        systemd: 257,
        layout: layoutSchema.parse(JSON.parse(store.here(layout))),
      })
      if (result.kind === 'refused') return expect.unreachable(JSON.stringify(result.diagnostics))
      let compared = 0
      for (const { path, text } of result.files) {
        const place = path.replace(
          /^systemd\/(?=tmpfiles\.d\/|system\/(?:.*-(?:secrets|directory|ca|ca-renew)\.(?:service|timer)$|user@))/,
          'lib/systemd/',
        )
        const file = join(outOf(name), place.replace('lib/systemd/tmpfiles.d', 'lib/tmpfiles.d'))
        if (path.endsWith('README.txt') || !existsSync(file)) continue
        expect(readFileSync(file, 'utf8'), path).toBe(text)
        compared++
      }
      expect(compared).toBeGreaterThan(0)
      return undefined
    })

    test.each(SAMPLES)('%s: no program of a unit is where Debian has it', (name) => {
      const folder = outOf(name)
      const units = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
        /quadlet\/.*\./.test(file),
      )
      const commands = units.flatMap((file) => {
        const text = statSync(join(folder, file)).isFile() ? readFileSync(join(folder, file), 'utf8') : ''
        return text.match(/^Exec[A-Z]\w*=-?\/.*$/gm) ?? []
      })
      expect(commands.filter((line) => /=-?\/(?:usr|s?bin)\//.test(line))).toEqual([])
    })

    test('units of backends get their image first, and systemd accepts the unit that does it', () => {
      const place = temporaryDirectory()
      for (const [name, uid, backend, argument] of [
        ['backend-tcp', '40002', 'ollama', 'docker.io/ollama/ollama@sha256:'],
        ['backend-archive', '40004', 'numbers', 'localhost/engine:1 /'],
      ] as const) {
        const units = `quadlet/user-units/${uid}`
        const unit = read(name, `${units}/gate-${backend}-image.service`)
        expect(unit).toMatch(new RegExp(`^ExecStart=\\S+-gate-image \\S+/podman ${argument}`, 'm'))
        expect(read(name, `${units}/gate-${backend}.service.d/50-image.conf`)).toContain(
          `Requires=gate-${backend}-image.service\nAfter=gate-${backend}-image.service\n`,
        )
        for (const kind of ['image', 'update']) {
          const file = place.file(`gate-${backend}-${kind}.service`)
          const text = read(name, `${units}/gate-${backend}-${kind}.service`)
          place.write(`gate-${backend}-${kind}.service`, text.replaceAll(/^ExecStart=\S+/gm, 'ExecStart=/bin/sh'))
          const verify = ['verify', '--man=no', '--user', '--recursive-errors=no', file]
          expect(tryRun('systemd-analyze', verify, '', { XDG_RUNTIME_DIR: place.path })).toMatchObject({
            status: 0,
            stderr: '',
          })
        }
      }
      place.remove()
      const script = join(MODULES, 'daemon/fetch-image.sh')
      expect(tryRun('sh', ['-n', script]).status).toBe(0)
      if (hasProgram('shellcheck')) expect(tryRun('shellcheck', ['--shell=sh', script])).toMatchObject({ status: 0 })
    })

    test('units of the internal CA come with the files, find their program, and are told what the spec asks of it', () => {
      const units = readdirSync(join(outOf('web-caddy'), 'lib/systemd/system'))
      expect(units).toEqual(expect.arrayContaining(['gate-ca.service', 'gate-ca-renew.service', 'gate-ca-renew.timer']))
      const unit = read('web-caddy', 'lib/systemd/system/gate-ca.service')
      expect(unit).toMatch(/^ExecStart=\S+\/bin\/gatectl ca renew \/etc\/gate\/ca\.json$/m)
      expect(JSON.parse(read('web-caddy', 'ca.json'))).toMatchObject({
        proxy: { group: 'caddy', unit: 'caddy.service' },
      })
    })

    test('units with secrets come with the files, and find their programs', () => {
      const units = readdirSync(join(outOf('backend-tcp'), 'lib/systemd/system')).sort()
      expect(units.filter((unit) => !unit.endsWith('-directory.service'))).toEqual([
        'gate-daemon.service.d',
        'gate-egress.service',
        'gate-secrets.service',
        'gate-vllm-secrets.service',
        'user@.service.d',
        'user@40002.service.d',
        'user@40003.service.d',
      ])
      expect(units).toContain('gate-vllm-directory.service')
      expect(Object.keys(hosts['backend-tcp']?.systemd.services ?? {})).toEqual(
        expect.arrayContaining(['gate-secrets', 'gate-vllm-secrets']),
      )
    })

    test.each(['web-acme', 'web-tailnet'])('nginx -t accepts the file of %s', (name) => {
      const here = read(name, 'nginx/gate.conf')
        .replace(/ssl_certificate [^;\n]+;/g, `ssl_certificate ${directory.file('cert.pem')};`)
        .replace(/ssl_certificate_key [^;\n]+;/g, `ssl_certificate_key ${directory.file('key.pem')};`)
      expect(testNginx(here, directory.path)).toMatchObject({ status: 0 })
    })

    test('certificates are where security.acme puts them', () => {
      const text = read('web-acme', 'nginx/gate.conf')
      expect(text).toContain('ssl_certificate /var/lib/acme/ai.example.org/fullchain.pem;')
      expect(text).toContain('ssl_certificate_key /var/lib/acme/ai.example.org/key.pem;')
      expect(text).not.toContain('letsencrypt')
      const { webroot } = hosts['web-acme']?.security.acme.certs['ai.example.org'] ?? {}
      expect(text).toContain(`root ${webroot};`)
    })

    test('caddy and dnsmasq accept their files', () => {
      const { cert, key } = throwAwayCertificate(directory.path, ['localhost'])
      const caddyfile = read('web-caddy', 'caddy/Caddyfile')
      expect(caddyfile).toContain('tls /var/lib/gate-ca/proxy.crt /var/lib/gate-ca/proxy.key')
      const here = caddyfile.replace(/^\ttls \S+ \S+$/gm, `\ttls ${cert} ${key}`)
      expect(validateCaddy(here, directory.path)).toMatchObject({ status: 0 })
      const unit = read('web-tailnet', 'lib/systemd/system/gate-dns.service')
      expect(unit).toMatch(/^ExecStart=\S+\/dnsmasq\/bin\/dnsmasq .*--conf-file=\/etc\/gate\/dnsmasq\.conf$/m)
      const config = join(outOf('web-tailnet'), 'dnsmasq/dnsmasq.conf')
      expect(tryRun('dnsmasq', ['--test', `--conf-file=${config}`])).toMatchObject({ status: 0 })
    })

    test('what the daemon would refuse does not build', () => {
      const [build] = hosts['unfit']?.builds ?? []
      if (build === undefined) return expect.unreachable()
      expect(() => store.build(build)).toThrow('upstreams.own.base_url is missing')
      const broken = { ...build, environment: { ...build.environment, spec: '{"gate":{"server":{"port":"x"}}}' } }
      expect(() => store.build(broken)).toThrow('write a port from 1 to 65535')
      return undefined
    })

    test('the daemon reads the declared layer, and says that a value is declared', async () => {
      const state = temporaryDirectory()
      copyFileSync(join(outOf('running'), 'declared/declared.json'), state.file('declared.json'))
      const gate = await startDaemon({ GATE_SERVER__PORT: '' }, state.path)
      try {
        expect(gate.url).toContain(`:${port}`)
        const explain = (key: string) =>
          gatectl(['--json', '--socket', state.file('admin.sock'), 'config', 'explain', key])
        for (const [key, value] of [
          ['server.port', port],
          ['server.max_concurrent', 7],
          ['log.format', 'json'],
        ] as const) {
          const { stdout, code } = await explain(key)
          expect(code).toBe(0)
          expect(JSON.parse(stdout)).toMatchObject({ winner: 'declared', value })
        }
        const shown = await gatectl(['--socket', state.file('admin.sock'), 'config', 'explain', 'server.port'])
        expect(shown.stdout).toMatch(new RegExp(`^\\* +declared +${port} +`, 'm'))
      } finally {
        await gate.stop()
        state.remove()
      }
    })
  },
)
