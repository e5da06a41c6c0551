import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { packageDeb } from '../../scripts/package-deb.ts'
import { bootHost, type Host, write } from './deploy.ts'
import { ENGINE_HEALTH } from './engine/image.ts'
import { GATEWAY } from './gate.ts'
import { cacheDir } from './rootfs.ts'
import { describeInLab } from './suite.ts'

const SOCKETS = '/run/gate/backends'
/** Where everything on the host that is not loopback stands for the internet. */
const OUTSIDE = '192.0.2.1'

const SECRET = 'secrets = { EXTRA = { file = "/etc/gate/extra" } }'

/** From `dpkg -i` to the first answers, as an administrator would; then everybody who should not get in tries to. */
describeInLab('a bare Debian host', () => {
  let layer: string
  let host: Host
  let deb: string
  let key: string
  beforeAll(async () => {
    layer = mkdtempSync(join(cacheDir, 'pack-'))
    deb = packageDeb({ out: join(layer, 'srv/debs'), quick: true, staged: inject('staged') }).slice(layer.length)
    host = await bootHost('debian-host', [layer])
  })
  afterAll(async () => {
    await host?.down()
    rmSync(layer, { recursive: true })
  })

  const backend = (name: string, more: string) => `
[backends.${name}]
engine = "custom"
image = "${host.images.engine.reference}"
image_archive = "${host.images.engine.archive}"
listen = "unix"
args = ["--listen", "{socket}", "--model", "${name}"]
health = { command = ${JSON.stringify(ENGINE_HEALTH)}, interval = "500ms", start_period = "30s" }
${more}
`
  const chat = async (model: string) => {
    const body = JSON.stringify({ model: `${model}/${model}`, messages: [{ role: 'user', content: `hello ${model}` }] })
    const curl = ['curl', '-sS', '--max-time', '60', '--oauth2-bearer', key, '--json', body]
    return JSON.parse(await host.run([...curl, `${GATEWAY}/v1/chat/completions`], { timeoutMs: 70_000 })) as unknown
  }
  const saysHello = (model: string) => ({ choices: [{ message: { content: `hello ${model}` } }] })
  const state = async (name: string) => {
    const userctl = ['systemctl', '--user', '-M', `gate-${name}@.host`]
    return (await host.exec([...userctl, 'is-active', `gate-${name}.service`])).stdout.trim()
  }

  /** E4: of what an apply makes, a host before the first one lacks a single thing. */
  const saysToApply = async () => {
    const { stdout } = await host.exec(['gatectl', 'doctor', '--json'], { timeoutMs: 60_000 })
    const { findings } = JSON.parse(stdout) as { findings: { check: string; status: string; fix?: unknown }[] }
    const made = [
      'users',
      'subids',
      'user-managers',
      'storage',
      'generation',
      'permissions',
      'units',
      'agents',
      'daemon',
    ]
    expect(findings.filter(({ check, status }) => made.includes(check) && status !== 'ok')).toMatchObject([
      { check: 'generation', status: 'fail', fix: { kind: 'command', command: 'gatectl apply' } },
    ])
  }

  test('dpkg, init and apply bring up the gateway and two backends', async () => {
    await host.run(['dpkg', '--install', deb], { timeoutMs: 60_000 })
    await host.run(['gatectl', 'init', '--yes', '/etc/gate/gate.toml'])
    appendFileSync(host.path('/etc/gate/gate.toml'), backend('nap', 'idle_stop = "10m"') + backend('stay', SECRET))
    writeFileSync(host.path('/etc/gate/extra'), 'a secret', { mode: 0o600 })
    await saysToApply()
    await host.run(['gatectl', 'apply', '--yes'], { timeoutMs: 180_000 })
    expect(await host.run(['systemctl', 'is-active', 'gate-daemon.service'])).toBe('active\n')
    expect(await state('stay')).toBe('active')
    expect(await host.run(['id', '-nG', 'gate-nap'])).not.toBe(await host.run(['id', '-nG', 'gate-stay']))
    await host.run(['gatectl', 'config', 'set', 'log.level', 'debug'])
    key = (await host.run(['gatectl', 'token', 'create', '--name', 'me'])).trim()
  })

  test('no TCP port is open but the gateway’s', async () => {
    const listening = (await host.run(['ss', '-Hltn'])).trim().split('\n')
    expect(listening.map((line) => line.split(/\s+/)[3])).toEqual(['127.0.0.1:3000'])
    expect(await host.run(['ss', '-Hlun'])).toBe('')
  })

  test('a request through the gateway wakes the backend that is stopped', async () => {
    expect(await state('nap')).toBe('inactive')
    expect(await chat('nap')).toMatchObject(saysHello('nap'))
    expect(await state('nap')).toBe('active')
    expect(await chat('stay')).toMatchObject(saysHello('stay'))
  })

  test.each([
    { who: 'nobody', socket: 'nap/engine.sock' },
    { who: 'nobody', socket: 'nap/container/engine.sock' },
    { who: 'nobody', socket: 'nap/agent.sock' },
    { who: 'nobody', socket: '../admin.sock' },
    { who: 'gate-stay', socket: 'nap/engine.sock' },
    { who: 'gate-stay', socket: 'nap/container/engine.sock' },
    { who: 'gate-stay', socket: 'nap/agent.sock' },
    { who: 'gate-stay', socket: '../admin.sock' },
  ])('$who cannot connect to $socket', async ({ who, socket }) => {
    const connect = (user: string) => {
      const curl = [
        'curl',
        '-sS',
        '--max-time',
        '5',
        '--unix-socket',
        `${SOCKETS}/${socket}`,
        'http://localhost/health',
      ]
      return host.exec(curl, { user })
    }
    // 7: could not connect. Whoever may gets further; the agent speaks no HTTP, so curl then ends in another way.
    expect((await connect(who)).code).toBe(7)
    expect((await connect(socket.endsWith('admin.sock') ? 'root' : 'gate')).code).not.toBe(7)
  })

  test.each([
    { who: 'nobody', path: '/var/lib/gate/gate.db' },
    { who: 'gate-nap', path: '/var/lib/gate/gate.db' },
    { who: 'gate-nap', path: '/var/lib/gate/config.toml' },
    { who: 'gate-nap', path: '/run/gate/secrets/stay/environment' },
    { who: 'gate', path: '/run/gate/secrets/stay/environment' },
    { who: 'nobody', path: '/run/gate/secrets/stay/environment' },
    { who: 'gate', path: '/etc/gate/extra' },
    { who: 'gate-nap', path: '/var/lib/gate-backends/stay/.local/share/containers' },
    { who: 'gate', path: '/var/lib/gate-backends/stay/.local/share/containers' },
    { who: 'nobody', path: '/var/lib/gate-backends/stay/.local/share/containers' },
  ])('$who cannot read $path', async ({ who, path }) => {
    expect((await host.exec(['ls', '-A', path])).code).toBe(0)
    const read = await host.exec(['sh', '-c', 'test -d "$1" && exec ls -A "$1"; exec cat "$1"', 'sh', path], {
      user: who,
    })
    expect(read).toMatchObject({ stdout: '', stderr: expect.stringContaining('Permission denied') })
    expect(read.code).not.toBe(0)
  })

  test('a container reaches neither the internet nor the gateway nor the sockets of the other', async () => {
    await host.run(['ip', 'address', 'add', `${OUTSIDE}/32`, 'dev', 'lo'])
    host.start(['busybox', 'httpd', '-f', '-p', `${OUTSIDE}:80`, '-h', '/srv'])
    const reach = ['wget', '-q', '-T', '3', '-O', '/dev/null']
    const outside = [...reach, `http://${OUTSIDE}/images/`]
    const asUser = (...command: string[]) => host.asUser('gate-nap').exec(command)
    const within = (...command: string[]) => asUser('podman', 'exec', 'gate-nap', ...command)
    // httpd shows no listings: 404 is an answer, and the only one that a host's user can get
    await vi.waitUntil(async () => (await asUser('busybox', ...outside)).stderr.includes('404'), { timeout: 30_000 })
    const fromWithin = await within(...outside)
    expect(fromWithin.stderr).toContain('unreachable')
    expect((await within(...reach, `${GATEWAY}/health`)).stderr).toContain('refused')
    expect((await within('ip', '-o', 'link')).stdout.trim().split('\n')).toHaveLength(1)
    expect((await within('ls', '-A', '/run/engine')).stdout).toBe('engine.sock\n')
    const seen = await within('sh', '-c', 'cat /proc/mounts; ls -A /run; ls -A /var/lib 2>&1')
    expect(seen.stdout).not.toMatch(/agent|stay|gate\.db/)
    expect((await within('id', '-u')).stdout).toBe('1000\n')
  })

  test('gate, as the daemon runs, can run no podman, become nobody else and touch no manager', async () => {
    const attempt = await asDaemon(host)
    expect(await attempt('id -un')).toBe('gate 0')
    for (const command of [
      'podman run --rm localhost/gate-test-engine',
      'podman info',
      'unshare --user --map-root-user true',
      'sudo -n true',
      'su gate-nap -s /bin/sh -c true',
      'systemctl --user -M gate-nap@.host stop gate-nap.service',
      'systemctl stop gate-daemon.socket',
      'ls /var/lib/gate-backends/nap/.local/share/containers',
      'cat /etc/shadow',
      'touch /etc/gate/gate.toml',
    ])
      expect(`${command}: ${await attempt(`${command} >/dev/null 2>&1`)}`).not.toMatch(/ 0$/)
    expect(await state('nap')).toBe('active')
    // and as anybody could who has its account: no storage, no subordinate ids, nobody else's socket
    expect((await host.exec(['grep', '-c', '^gate:', '/etc/subuid'])).stdout).toBe('0\n')
    expect((await host.exec(['ls', '/run/user'], { user: 'gate' })).stdout).not.toContain(
      (await host.run(['id', '-u', 'gate'])).trim(),
    )
  })

  test.each(['orderly', 'power cut'] as const)('after a reboot (%s) everything comes back by itself', async (how) => {
    await host.reboot(how)
    const isBack = async () => (await state('stay')) === 'active'
    await vi.waitUntil(isBack, { timeout: 60_000, interval: 500 })
    expect(await chat('nap')).toMatchObject(saysHello('nap'))
    expect(await chat('stay')).toMatchObject(saysHello('stay'))
    expect(await host.run(['systemctl', '--failed', '--no-legend', '--plain'])).toBe('')
  })

  test('a backup brings back the spec, its ids, the CA, keys and usage of a host that has lost them', async () => {
    const stop = ['systemctl', 'stop', 'gate-daemon.socket', 'gate-daemon.service']
    const passphrase = ['--passphrase-file', '/root/passphrase']
    const kept = [
      '/etc/gate/gate.toml',
      '/etc/gate/gate.lock.json',
      '/etc/gate/extra',
      '/var/lib/gate-deploy/ca/root.key',
    ]
    const read = () => kept.map((file) => readFileSync(host.path(file), 'utf8'))
    const usage = async () =>
      JSON.parse(await host.run(['gatectl', 'usage', '--json'])) as { total: { requests: number } }
    writeFileSync(host.path('/root/passphrase'), 'correct horse battery staple\n', { mode: 0o600 })
    await host.run(['gatectl', 'ca', 'init', '--domain', 'ai.home.arpa'])
    const before = { files: read(), usage: (await usage()).total.requests, id: await host.run(['id', 'gate-nap']) }
    await host.run(['gatectl', 'backup', '/root/a.gate', ...passphrase])
    await host.run([...stop])
    await host.run(['sh', '-c', `rm -r /var/lib/gate/* ${kept.join(' ')}`])

    await host.run(['gatectl', 'restore', '--check', '/root/a.gate', ...passphrase])
    const restored = await host.run(['gatectl', 'restore', '/root/a.gate', '--yes', ...passphrase])
    expect(restored).toContain('restored /var/lib/gate')
    expect(read()).toEqual(before.files)
    const modes = ['stat', '-c', '%U:%G %a', '/var/lib/gate/gate.db', '/var/lib/gate/keyring.json', kept[3] ?? '']
    expect(await host.run(modes)).toBe('gate:gate 600\ngate:gate 600\nroot:root 600\n')
    await host.run(['gatectl', 'apply', '--yes'], { timeoutMs: 120_000 })
    await host.run(['systemctl', 'start', 'gate-daemon.socket', 'gate-daemon.service'])
    expect(await chat('stay')).toMatchObject(saysHello('stay'))
    expect((await usage()).total.requests).toBe(before.usage + 1)
    expect(await host.run(['id', 'gate-nap'])).toBe(before.id)
    expect(await host.run(['gatectl', 'audit', 'verify'])).toContain('each chained')
  }, 200_000)

  test('the manager of a backend knows the units of no other', async () => {
    for (const [user, other] of [
      ['nap', 'stay'],
      ['stay', 'nap'],
    ] as const) {
      const show = ['systemctl', '--user', '-M', `gate-${user}@.host`, 'show', '--value', '-p', 'LoadState']
      expect(await host.run([...show, `gate-${user}.service`])).toBe('loaded\n')
      expect(await host.run([...show, `gate-${other}.service`])).toBe('not-found\n')
    }
  })
})

/** Runs shell commands exactly as confined as the daemon is. @returns a function that gives `output exit-code` */
async function asDaemon(host: Host): Promise<(script: string) => Promise<string>> {
  const unit = await host.run(['systemctl', 'cat', 'gate-daemon.service'])
  const notConfinement =
    /^(?:Type|OpenFile|NotifyAccess|ExecStart|WatchdogSec|TimeoutStopSec|Restart\w*|Sockets|Requires|After|LoadCredential|SyslogIdentifier)=.*\n/gm
  const confined = unit.replace(/^\[Install\][^[]*/m, '').replace(notConfinement, '')
  return async (script) => {
    const file = '/run/systemd/system/attempt.service'
    const output = '/var/lib/gate/attempt'
    write(host, '/opt/attempt', `${script}\necho "$?"\n`)
    write(host, file, `${confined}\n[Service]\nType=oneshot\nExecStart=/bin/sh -c 'sh /opt/attempt >${output} 2>&1'\n`)
    await host.run(['systemctl', 'daemon-reload'])
    await host.run(['systemctl', 'start', 'attempt.service'])
    return readFileSync(host.path(output), 'utf8').trim().split('\n').join(' ')
  }
}
