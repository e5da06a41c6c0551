// HTTPS from the gateway itself, on a Debian host: from the package, by a spec of three lines.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { packageDeb } from '../../scripts/package-deb.ts'
import { throwAwayCertificate } from '../support/certificate.ts'
import { isLong } from '../support/effort.ts'
import { hasProgram } from '../support/programs.ts'
import { bootHost, type Host, write } from './deploy.ts'
import { NODE } from './gate.ts'
import type { LoadResult } from './load.ts'
import { cacheDir } from './rootfs.ts'
import { describeInLab } from './suite.ts'

const NAME = 'gate.lab'
const TOKEN = 'lab-token-0123456789abcdef'
/** systemd-analyze security, times ten: 0 is best, 100 is no protection at all. */
const HIGHEST_EXPOSURE = 15
const CA_DIRECTORY = 'https://localhost:14000/dir'

const FILES_SPEC = `[gate]
domain = "${NAME}"
tls.files = { cert = "/etc/gate/tls/cert.pem", key = "/etc/gate/tls/key.pem" }
`
const ACME_SPEC = `[gate]
domain = "${NAME}"
[gate.tls.acme]
email = "admin@${NAME}"
domains = ["${NAME}"]
directory = "${CA_DIRECTORY}"
ca = "/srv/pebble/cert.pem"
`

describeInLab('TLS on a Debian host', () => {
  let layer: string
  let host: Host
  let deb: string
  beforeAll(async () => {
    layer = mkdtempSync(join(cacheDir, 'pack-'))
    deb = packageDeb({ out: join(layer, 'srv/debs'), quick: true, staged: inject('staged') }).slice(layer.length)
    host = await bootHost('tls', [layer])
    copyFileSync(join(import.meta.dirname, 'load.ts'), host.path('/opt/load.ts'))
    write(host, '/etc/hosts', `127.0.0.1 localhost ${NAME}\n`)
  })
  afterAll(async () => {
    await host?.down()
    rmSync(layer, { recursive: true })
  })

  /** The status, and where a redirect leads. */
  const ask = (url: string, ca: string) => {
    const shown = ['-o', '/dev/null', '-w', '%{http_code} %{http_version} %{redirect_url}']
    return host.exec(['curl', '-sS', '--max-time', '20', '--cacert', ca, ...shown, url])
  }
  const apply = async (spec: string) => {
    write(host, '/etc/gate/gate.toml', spec)
    await host.run(['gatectl', 'apply', '--yes'], { timeoutMs: 120_000 })
  }
  const listening = async () => {
    const lines = (await host.run(['ss', '-Hltn'])).trim().split('\n')
    return lines.map((line) => line.split(/\s+/)[3] ?? '').sort()
  }

  test('three lines of spec, and https:// answers on 443', async () => {
    await host.run(['dpkg', '--install', deb], { timeoutMs: 60_000 })
    const folder = mkdtempSync(join(layer, 'made-'))
    const { cert, key } = throwAwayCertificate(folder, [NAME])
    write(host, '/etc/gate/tls/cert.pem', readFileSync(cert, 'utf8'))
    write(host, '/etc/gate/tls/key.pem', readFileSync(key, 'utf8'), 0o640)
    await host.run(['chgrp', 'gate', '/etc/gate/tls/key.pem'])
    write(host, '/etc/gate/gate.env', `GATE_AUTH__TOKEN=${TOKEN}\n`)
    await apply(FILES_SPEC)
    expect(await listening()).toEqual(['*:443', '*:80', '127.0.0.1:3000'])
    expect((await ask(`https://${NAME}/health`, '/etc/gate/tls/cert.pem')).stdout).toBe('200 2 ')
    expect((await ask(`http://${NAME}/v1/models`, '/etc/gate/tls/cert.pem')).stdout).toBe(
      `308 1.1 https://${NAME}/v1/models`,
    )
  })

  test('no capability is needed for it, and the unit is hardly exposed', async () => {
    const pid = (await host.run(['systemctl', 'show', '-P', 'MainPID', 'gate-daemon.service'])).trim()
    const status = readFileSync(host.path(`/proc/${pid}/status`), 'utf8')
    expect(status).toMatch(/^CapEff:\t0{16}$/m)
    expect(status).toMatch(/^CapBnd:\t0{16}$/m)
    const threshold = `--threshold=${HIGHEST_EXPOSURE}`
    const { code, stdout } = await host.exec(['systemd-analyze', 'security', threshold, 'gate-daemon.service'])
    expect({ code, overall: /Overall exposure.*/.exec(stdout)?.[0] }).toMatchObject({ code: 0 })
  })

  test('an address that another process lets go of late is waited for', async () => {
    // as it is with a process of systemd's own that has a copy of a socket which was closed
    const late = `require('node:net').createServer().listen(3001, '127.0.0.1', () => {
      require('node:child_process').execFileSync('systemd-notify', ['--ready'])
      setTimeout(() => process.exit(), 400)
    })`
    write(host, '/opt/late.cjs', late)
    write(host, '/run/once', '')
    const holding = `systemd-run --service-type=notify --property=NotifyAccess=all ${NODE} /opt/late.cjs`
    const dropIn = '/run/systemd/system/gate-daemon.socket.d/late.conf'
    write(host, dropIn, `[Socket]\nExecStopPost=/bin/sh -c 'rm /run/once 2>/dev/null && ${holding} || true'\n`)
    await host.run(['systemctl', 'daemon-reload'])
    await apply(`${FILES_SPEC}server.port = 3001\n`)
    expect(await listening()).toEqual(['*:443', '*:80', '127.0.0.1:3001'])
    expect(await host.exec(['test', '-e', '/run/once'])).toMatchObject({ code: 1 })
    await host.run(['rm', dropIn])
    await apply(FILES_SPEC)
  })

  test('restarts under load fail nothing', async () => {
    const env = ['env', 'NODE_EXTRA_CA_CERTS=/etc/gate/tls/cert.pem']
    const load = host.start([...env, NODE, '/opt/load.ts', `https://${NAME}/v1/models`, TOKEN])
    let output = ''
    load.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    const ended = new Promise((resolve) => load.on('close', resolve))
    for (let i = 0; i < 2; i++) await host.run(['systemctl', 'restart', 'gate-daemon.service'], { timeoutMs: 60_000 })
    load.stdin?.end()
    await ended
    const { requests, failures, connections } = JSON.parse(output) as LoadResult
    expect(failures).toEqual({})
    expect(requests).toBeGreaterThan(100)
    expect(connections).toBeGreaterThan(10)
  })

  test.skipIf(!isLong || !hasProgram('pebble'))(
    'a certificate by ACME, from a CA on this network (needs pebble)',
    async () => {
      const folder = mkdtempSync(join(layer, 'pebble-'))
      const { cert, key } = throwAwayCertificate(folder, ['localhost'])
      const at = { cert: '/srv/pebble/cert.pem', key: '/srv/pebble/key.pem', program: '/usr/local/bin/pebble' }
      write(host, at.cert, readFileSync(cert, 'utf8'))
      write(host, at.key, readFileSync(key, 'utf8'))
      const { stdout: program } = spawnSync('sh', ['-c', 'command -v pebble'], { encoding: 'utf8' })
      copyFileSync(program.trim(), host.path(at.program))
      const pebble = {
        listenAddress: '127.0.0.1:14000',
        managementListenAddress: '127.0.0.1:15000',
        certificate: at.cert,
        privateKey: at.key,
        httpPort: 80,
        tlsPort: 443,
        certificateValidityPeriod: 90 * 86_400,
      }
      write(host, '/srv/pebble/pebble.json', JSON.stringify({ pebble }))
      host.start(['env', 'PEBBLE_VA_NOSLEEP=1', at.program, '-config', '/srv/pebble/pebble.json'])
      await vi.waitUntil(async () => (await ask(CA_DIRECTORY, at.cert)).stdout.startsWith('200'), { timeout: 20_000 })
      await host.run([
        'curl',
        '-sS',
        '--cacert',
        at.cert,
        '-o',
        '/srv/pebble/root.pem',
        'https://localhost:15000/roots/0',
      ])
      await apply(ACME_SPEC)
      await vi.waitUntil(
        async () => (await ask(`https://${NAME}/health`, '/srv/pebble/root.pem')).stdout === '200 2 ',
        {
          timeout: 30_000,
        },
      )
      const states = host.path('/var/lib/gate/tls')
      const modes = await host.run(['find', '/var/lib/gate/tls', '-printf', '%y %m %u\n'])
      expect(new Set(modes.trim().split('\n')), states).toEqual(new Set(['d 700 gate', 'f 600 gate']))
    },
  )

  test('three lines, and the CA of the host certifies it', async () => {
    await apply(`[gate]\ndomain = "${NAME}"\ntls.internal_ca = true\n`)
    const root = '/var/lib/gate-ca/ca.crt'
    await vi.waitUntil(async () => (await ask(`https://${NAME}/health`, root)).stdout === '200 2 ', { timeout: 20_000 })
    expect((await ask(`https://${NAME}/health`, '/etc/gate/tls/cert.pem')).code).not.toBe(0)
  })

  test('without TLS in the spec its ports are closed again', async () => {
    await apply(`[gate]\ndomain = "${NAME}"\n`)
    expect((await listening()).filter((address) => /:(?:443|80)$/.test(address))).toEqual([])
    expect((await host.exec(['systemctl', 'is-active', 'gate-daemon-https.socket'])).stdout).toBe('inactive\n')
  })
})
