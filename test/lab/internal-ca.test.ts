import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { certificatesIn, isSignedBy } from '../../pki/certificate.ts'
import { until } from '../support/daemon.ts'
import { bootHost, type Host } from './deploy.ts'
import { describeInLab } from './suite.ts'

const NAME = 'gate.lab.example'
const SPEC = {
  gate: { domain: NAME, tls: { internal_ca: true } },
  proxy: { engine: 'nginx' },
  client: { enable: true },
}

describeInLab(
  'the internal CA on Debian',
  () => {
    let host: Host
    beforeAll(async () => {
      host = await bootHost('internal-ca')
      writeFileSync(host.path('/etc/hosts'), '127.0.0.1 localhost\n')
      spec(SPEC)
    })
    afterAll(() => host?.down())

    const spec = (text: unknown) => writeFileSync(host.path('/etc/gate/gate.toml'), JSON.stringify(text))
    const gatectl = (...args: string[]) => host.exec(['gatectl', ...args], { timeoutMs: 120_000 })
    const apply = async () => {
      const { code, stderr } = await gatectl('apply', '--yes')
      expect(`${code} ${stderr}`).toMatch(/^0 /)
    }
    const read = (path: string) => readFileSync(host.path(path), 'utf8')
    const root = () => read('/var/lib/gate-deploy/ca/root.crt')
    const serial = (path: string) => certificatesIn(read(path))[0]?.serial
    const ask = (...options: string[]) => {
      const trust = ['--cacert', '/var/lib/gate-ca/ca.crt', '--resolve', `${NAME}:443:127.0.0.1`]
      return host.run([
        'curl',
        '-sS',
        '--retry',
        '10',
        '--retry-connrefused',
        ...trust,
        ...options,
        `https://${NAME}/health`,
      ])
    }
    const served = async () =>
      /serial=([0-9A-F]+)/
        .exec(
          await host.run([
            'sh',
            '-c',
            `openssl s_client -connect 127.0.0.1:443 -servername ${NAME} </dev/null 2>/dev/null | openssl x509 -noout -serial`,
          ]),
        )?.[1]
        ?.toLowerCase()

    test('apply makes it, and nginx serves a certificate by it', async () => {
      await apply()
      expect(await ask()).toContain('ok')
      expect(isSignedBy(read('/var/lib/gate-ca/proxy.crt'), root())).toBe(true)
      expect((await gatectl('plan')).code).toBe(0)
      const before = root()
      await apply()
      expect(root()).toBe(before)
    })

    test('its keys are for their readers alone', async () => {
      const as = (user: string, path: string) =>
        host.exec(['setpriv', `--reuid=${user}`, '--clear-groups', `--regid=${user}`, 'cat', path])
      for (const user of ['gate', 'www-data', 'nobody'])
        for (const path of [
          '/var/lib/gate-deploy/ca/root.key',
          ...(user === 'www-data' ? [] : ['/var/lib/gate-ca/proxy.key']),
        ])
          expect({ user, path, code: (await as(user === 'nobody' ? '65534' : user, path)).code }).toEqual({
            user,
            path,
            code: 1,
          })
      expect((await as('65534', '/var/lib/gate-ca/ca.crt')).code).toBe(0)
    })

    test('the units are hardened, and the timer waits', async () => {
      for (const unit of ['gate-ca.service', 'gate-ca-renew.service'])
        expect(await host.run(['systemd-analyze', 'security', '--no-pager', '--threshold=15', unit])).toContain('OK')
      expect(await host.run(['systemctl', 'is-active', 'gate-ca-renew.timer'])).toContain('active')
      expect(await host.run(['systemctl', 'is-enabled', 'gate-ca-renew.timer', 'gate-ca.service'])).toBe(
        'enabled\nenabled\n',
      )
    })

    test('what is revoked is replaced at once, with another key, by the nginx that runs', async () => {
      const pid = () => host.run(['systemctl', 'show', '--property=MainPID', '--value', 'nginx.service'])
      const [before, started] = [serial('/var/lib/gate-ca/proxy.crt'), await pid()]
      const revoked = await gatectl('ca', 'revoke', NAME)
      expect(`${revoked.code} ${revoked.stderr}`).toMatch(/^0 /)
      expect(serial('/var/lib/gate-ca/proxy.crt')).not.toBe(before)
      // the workers before finish what they have
      await until(async () => (await served()) === serial('/var/lib/gate-ca/proxy.crt'))
      expect(await ask('--crlfile', '/var/lib/gate-ca/ca.crl')).toContain('ok')
      expect(await pid()).toBe(started)
    })

    test('the timer renews what is soon over, in its sandbox', async () => {
      writeFileSync(host.path('/var/lib/gate-ca/proxy.crt'), 'cut off')
      await host.run(['systemctl', 'start', 'gate-ca-renew.service'])
      expect(isSignedBy(read('/var/lib/gate-ca/proxy.crt'), root())).toBe(true)
      expect((await gatectl('plan')).code).toBe(0)
    })

    test('a name outside of what the root may sign for fails the apply, and the generation before runs again', async () => {
      spec({ ...SPEC, gate: { ...SPEC.gate, domain: 'other.lab.example' } })
      const { code, stderr } = await gatectl('apply', '--yes')
      expect(`${code} ${stderr}`).toMatch(/^1 /)
      expect(stderr).toContain('may not sign for other.lab.example')
      expect(await ask()).toContain('ok')
      spec(SPEC)
    })

    test('without a proxy, the gateway serves certificates by a CA of its own, which no other account reads or replaces', async () => {
      const tls = { internal_ca: true, https_port: 8443, http_port: 'off' }
      spec({ gate: { ...SPEC.gate, tls } })
      await apply()
      const issuer = read('/var/lib/gate/tls/ca/issuer.pem')
      expect(isSignedBy(issuer, root())).toBe(true)
      const as = (user: string) =>
        host.exec([
          'setpriv',
          `--reuid=${user}`,
          '--clear-groups',
          `--regid=${user}`,
          'cat',
          '/var/lib/gate/tls/ca/issuer.key',
        ])
      expect([(await as('gate')).code, (await as('www-data')).code]).toEqual([0, 1])
      const trust = ['--cacert', '/var/lib/gate-ca/ca.crt', '--resolve', `${NAME}:8443:127.0.0.1`]
      const retry = ['--retry', '20', '--retry-all-errors', '--retry-max-time', '20']
      expect(await host.run(['curl', '-sS', ...retry, ...trust, `https://${NAME}:8443/health`])).toContain('ok')
      const plant = await host.exec([
        'setpriv',
        '--reuid=gate',
        '--regid=gate',
        '--clear-groups',
        'mv',
        '/var/lib/gate/tls/ca',
        '/var/lib/gate/tls/mine',
      ])
      expect(plant.code).toBe(1)
    })

    test('uninstall leaves the root, which clients have learnt; --purge does not', async () => {
      const before = root()
      expect(await gatectl('uninstall', '--yes')).toMatchObject({ code: 0 })
      expect(root()).toBe(before)
      expect((await host.exec(['test', '-e', '/var/lib/gate-ca'])).code).toBe(1)
      spec(SPEC)
      await apply()
      expect(root()).toBe(before)
      expect(await gatectl('uninstall', '--yes', '--purge')).toMatchObject({ code: 0 })
      expect((await host.exec(['test', '-e', '/var/lib/gate-deploy'])).code).toBe(1)
    })
  },
  { onlyLong: true },
)
