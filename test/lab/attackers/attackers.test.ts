import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe } from 'vitest'
import { bootHost, type Host, write } from '../deploy.ts'
import { engineBackend, tcpBackend } from '../engine/image.ts'
import { describeInLab } from '../suite.ts'
import { accountAttacks, lastAccountAttacks } from './account.ts'
import { adminAttacks, PROVIDER_KEY } from './admin.ts'
import { containerAttacks } from './container.ts'
import { gateAttacks } from './gate.ts'
import { loginAttacks, PUBLISHED_PORT } from './login.ts'
import { shellAttacks } from './shells.ts'

/**
 * Each "may never" of docs/threat-model.md, tried by real code as that account. One machine for all of them: a file per
 * attacker, and none leaves anything behind that another one needs.
 */
describeInLab('attackers on a deployed Debian 13', () => {
  let host: Host
  beforeAll(async () => {
    host = await bootHost('attackers')
    writeFileSync(host.path('/etc/hosts'), '127.0.0.1 localhost\n') // as every installed Debian has it
    await host.run(['useradd', '--create-home', '--shell', '/bin/sh', 'login'])
    await host.run(['useradd', '--system', 'admin'])
    write(host, '/etc/credstore/paid', PROVIDER_KEY, 0o600)
    write(host, '/var/lib/gate/models/own.gguf', 'a model')
    const engine = { ...engineBackend(host.images), stop_timeout: '2s', model: 'own.gguf' }
    const spec = {
      gate: { domain: 'gate.lab.example', tls: { internal_ca: true } },
      proxy: { engine: 'caddy' },
      backends: {
        own: engine,
        other: { ...engine, idle_stop: '10m' },
        tcp: { ...tcpBackend(host.images), stop_timeout: '2s' },
        port: { ...tcpBackend(host.images), stop_timeout: '2s', port: PUBLISHED_PORT },
        net: { ...engine, network: true },
      },
      // an address of this machine stands for one of the local network; a name would open the Internet
      upstreams: {
        lan: { provider: 'custom', base_url: 'http://192.168.77.1:8100/v1', models: ['lan'] },
        paid: { provider: 'openai', base_url: 'https://192.168.77.1:8443/v1', api_key: { credential: 'paid' } },
      },
    }
    writeFileSync(host.path('/etc/gate/gate.toml'), JSON.stringify(spec))
    await host.run(['gatectl', 'apply', '--yes'], { timeoutMs: 180_000 })
    await host.run(['gpasswd', '--add', 'admin', 'gate-admin'])
  })
  afterAll(() => host?.down())

  describe('a login of the host', () => loginAttacks(() => host))
  describe('code in the daemon', () => gateAttacks(() => host))
  describe('an admin', () => adminAttacks(() => host))
  describe('code in a container', () => containerAttacks(() => host))
  describe('shells', () => shellAttacks(() => host))
  describe('code in the account of a backend', () => accountAttacks(() => host))
  describe('code in the account of a backend, at the end', () => lastAccountAttacks(() => host))
})
