import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bootHost, type Host } from './deploy.ts'
import { describeInLab } from './suite.ts'

const FILE = '/etc/caddy/Caddyfile'
const SPEC = {
  gate: { domain: 'gate.lab.example', tls: { internal_ca: true }, server: { allow_from: ['127.0.0.0/8'] } },
  proxy: { engine: 'caddy' },
}

describeInLab('D6 Caddy on a Debian as it comes', () => {
  let host: Host
  let original = ''
  beforeAll(async () => {
    host = await bootHost('caddy')
    writeFileSync(host.path('/etc/hosts'), '127.0.0.1 localhost\n') // as every installed Debian has it
    original = readFileSync(host.path(FILE), 'utf8')
    writeFileSync(host.path('/etc/gate/gate.toml'), JSON.stringify(SPEC))
  })
  afterAll(() => host?.down())

  const gatectl = (...args: string[]) => host.exec(['gatectl', ...args], { timeoutMs: 120_000 })
  const verify = () => host.exec(['dpkg', '--verify', 'caddy'])

  test('a Caddyfile that somebody changed is in the way, and stays', async () => {
    writeFileSync(host.path(FILE), `${original}# mine\n`)
    const { code, stderr } = await gatectl('plan')
    expect(code).toBe(1)
    expect(stderr).toContain(`${FILE} is in the way`)
    writeFileSync(host.path(FILE), original)
  })

  test('the one of the package gives way, and the gateway is served over TLS', async () => {
    expect((await gatectl('plan')).stdout).toContain("it is the package's own")
    const applied = await gatectl('apply', '--yes')
    expect(`${applied.code} ${applied.stderr}`).toMatch(/^0 /)
    const curl = ['curl', '-sS', '--retry', '10', '--retry-connrefused', '--cacert', '/var/lib/gate-ca/ca.crt']
    const resolve = ['--resolve', 'gate.lab.example:443:127.0.0.1']
    expect(await host.run([...curl, ...resolve, 'https://gate.lab.example/health'])).toContain('ok')
    expect((await gatectl('plan')).code).toBe(0)
  })

  const pid = () => host.run(['systemctl', 'show', '--property=MainPID', '--value', 'caddy.service'])

  test('another spec is read by the Caddy that runs', async () => {
    const before = await pid()
    writeFileSync(host.path('/etc/gate/gate.toml'), JSON.stringify({ ...SPEC, proxy: { engine: 'caddy', hsts: '1h' } }))
    const applied = await gatectl('apply', '--yes')
    expect(`${applied.code} ${applied.stderr}`).toMatch(/^0 /)
    const resolve = ['--resolve', 'gate.lab.example:443:127.0.0.1']
    const headers = await host.run([
      'curl',
      '-sS',
      '-I',
      '--cacert',
      '/var/lib/gate-ca/ca.crt',
      ...resolve,
      'https://gate.lab.example/health',
    ])
    expect(headers).toMatch(/^strict-transport-security: max-age=3600\r$/im)
    expect(await pid()).toBe(before)
  })

  test('uninstall puts it back, as dpkg knows it', async () => {
    expect(await gatectl('uninstall', '--yes', '--purge')).toMatchObject({ code: 0 })
    expect(readFileSync(host.path(FILE), 'utf8')).toBe(original)
    expect(await verify()).toMatchObject({ code: 0, stdout: '' })
  })
})
