import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { packageDeb } from '../../scripts/package-deb.ts'
import { isLong } from '../support/effort.ts'
import { hasProgram, tryRun } from '../support/programs.ts'
import { type GateLab, NODE, startStream, withGate } from './gate.ts'
import { bootLab, type Lab } from './lab.ts'
import { cacheDir } from './rootfs.ts'
import { describeInLab } from './suite.ts'

const SLOW_UPSTREAM = { slow: { provider: 'custom', base_url: 'http://127.0.0.1:9100/v1', models: ['slow'] } }
/** What a purge leaves, and the test tells apart by content: accounts, whose files may still lie around. */
const ACCOUNTS = ['passwd', 'group', 'shadow', 'gshadow'].flatMap((name) => [`/etc/${name}`, `/etc/${name}-`])
/** Books of dpkg, systemd and ld.so about what was done, programs of this test, the cache of root's gatectl. */
const BOOKS =
  /^\/(?:var\/(?:lib\/(?:dpkg|systemd)|log|cache)(?:\/|$)|etc\/(?:\.pwd\.lock|ld\.so\.cache|\.updated)|opt\/|root\/\.cache|(?:var|etc)\/\.updated)/

const AS_ROOT = 'running with root privileges is not recommended!\n'

describeInLab('the Debian package', () => {
  let layer: string
  let lab: Lab
  let gate: GateLab
  const debs = { first: '', second: '' }

  beforeAll(async () => {
    layer = mkdtempSync(join(cacheDir, 'pack-'))
    const build = (version: string) =>
      packageDeb({ out: join(layer, 'srv/debs'), version, quick: true, staged: inject('staged') })
    debs.first = build('9.1.0')
    debs.second = build('9.2.0')
    lab = await bootLab('package', [layer])
  })
  afterAll(async () => {
    await lab?.down()
    rmSync(layer, { recursive: true })
  })

  const inside = (deb: string) => deb.slice(layer.length)
  const dpkg = (...args: string[]) =>
    lab.run(['env', 'DEBIAN_FRONTEND=noninteractive', 'dpkg', ...args], { timeoutMs: 120_000 })
  /** Path -> type, mode, owner, target and, in /etc, content. */
  const tree = async () => {
    const text = await lab.run(['find', '/', '/var/lib', '-xdev', '-printf', '%p\t%y %m %U:%G %l\n'])
    const lines = text
      .trim()
      .split('\n')
      .map((line) => line.split('\t') as [string, string])
    return new Map(
      lines
        .filter(([path]) => !BOOKS.test(path))
        .map(([path, what]) => [path, /^f/.test(what) && path.startsWith('/etc/') ? `${what} ${hash(path)}` : what]),
    )
  }
  const hash = (path: string) =>
    createHash('sha256')
      .update(readFileSync(lab.path(path)))
      .digest('hex')
  const state = () =>
    lab.run(['find', '/var/lib/gate', '-printf', '%p\n']).then((text) => text.trim().split('\n').sort())
  let before = new Map<string, string>()
  let key = ''

  test.skipIf(!isLong || !hasProgram('lintian'))(
    'lintian finds no errors in it (needs lintian, npm run test:long)',
    () => {
      // not the spelling in the 120 MB of Node: half of the time, and never an error
      const { stdout, stderr, error } = spawnSync(
        'lintian',
        ['--dont-check-part', 'binaries/spelling', '--fail-on', 'error,warning', debs.first],
        {
          encoding: 'utf8',
        },
      )
      expect({ stdout, error, stderr }).toEqual({ stdout: '', stderr: AS_ROOT })
    },
  )

  test.skipIf(!hasProgram('shellcheck'))('its scripts pass shellcheck (needs shellcheck)', () => {
    const scripts = ['postinst', 'prerm', 'postrm'].map((name) =>
      join(import.meta.dirname, '../../packaging/debian', name),
    )
    expect(tryRun('shellcheck', scripts)).toMatchObject({ status: 0, stdout: '' })
  })

  test('the same sources and date give the same bytes', () => {
    const again = packageDeb({
      out: join(layer, 'again'),
      version: '9.1.0',
      quick: true,
      staged: inject('staged'),
    })
    expect(readFileSync(again).equals(readFileSync(debs.first))).toBe(true)
    rmSync(again)
  })

  test('it installs, and the first request with a key is answered', async () => {
    before = await tree()
    const { stdout, stderr } = await lab.exec(['dpkg', '--install', inside(debs.first)], { timeoutMs: 120_000 })
    expect(stdout + stderr).not.toMatch(/syntax|usage|warning|fail/i)
    const doctor = JSON.parse((await lab.exec(['gatectl', 'doctor', '--json'], { timeoutMs: 60_000 })).stdout) as {
      findings: { check: string; status: string }[]
    }
    const ownChecks = doctor.findings.filter(({ check }) => ['users', 'permissions', 'daemon'].includes(check))
    expect(ownChecks.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok'])
    expect(await lab.run(['gatectl', '--version'])).toContain('9.1.0')
    key = (await lab.run(['gatectl', 'token', 'create', '--name', 'first'])).trim()
    const models = await lab.run(['curl', '-sS', '--oauth2-bearer', key, 'http://127.0.0.1:3000/v1/models'])
    expect(JSON.parse(models)).toMatchObject({ object: 'list' })
    const units = ['gate-daemon.service', 'gate-daemon.socket', 'gate-daemon-admin.socket']
    expect(await lab.run(['systemctl', 'is-enabled', ...units])).toBe('enabled\nenabled\nenabled\n')
    expect(await lab.run(['dpkg', '--verify', 'gate'])).toBe('')
    expect(await lab.run(['stat', '-c', '%a %U', '/etc/gate/gate.env'])).toBe('600 root\n')
  })

  test('manual pages and completions are where readers look', async () => {
    const files = await lab.run(['dpkg', '--listfiles', 'gate'])
    for (const file of [
      'man1/gatectl.1',
      'man1/gatectl-config-set.1',
      'man5/gate.toml.5',
      'man8/gate-daemon.8',
      'man8/gate-agent.8',
    ])
      expect(files).toContain(`/usr/share/man/${file}.gz\n`)
    for (const file of ['doc/gate/spec.md', 'doc/gate/clients.md', 'doc/gate/README.md', 'gate/schemas/spec.json'])
      expect(files).toContain(`/usr/share/${file}\n`)
    expect(
      await lab.run(['bash', '-c', '. /usr/share/bash-completion/completions/gatectl; complete -p gatectl']),
    ).toContain('gatectl')
  })

  test('an upgrade keeps keys, configuration and streams, and loses no request', async () => {
    gate = withGate(lab)
    gate.start([NODE, '/opt/slow-upstream.ts'])
    gate.declare({ upstreams: SLOW_UPSTREAM })
    await lab.run(['systemctl', 'restart', 'gate-daemon.service'])
    await lab.run(['gatectl', 'config', 'set', 'log.level', 'debug'])
    // as the package before had it
    await lab.run(['sh', '-c', 'cd /var/lib/gate && rmdir models && chown gate: . && chmod 700 .'])
    const pid = await gate.property('MainPID')
    const stream = await startStream(gate, 60)
    const result = await gate.underLoad(async () => {
      await dpkg('--install', inside(debs.second))
    })
    expect(result.failures).toEqual({})
    expect(result.requests).toBeGreaterThan(100)
    const { code, text } = await stream.ended
    expect(code).toBe(0)
    expect(text).toContain('"59 "')
    expect(text).toContain('[DONE]')
    await vi.waitUntil(async () => (await gate.property('ActiveState')) === 'active', { timeout: 20_000 })
    expect(await gate.property('MainPID')).not.toBe(pid)
    expect(await lab.run(['gatectl', '--version'])).toContain('9.2.0')
    const stat = ['stat', '--format=%a %U:%G', '/var/lib/gate', '/var/lib/gate/models', '/var/lib/gate/config.toml']
    expect(await lab.run(stat)).toBe('1771 root:gate\n750 root:gate-models\n600 gate:gate\n')
    expect(await lab.run(['gatectl', 'config', 'get', 'log.level'])).toBe('debug\n')
    await lab.run(['gatectl', 'config', 'set', 'log.level', 'debug'])
    expect(await statusWith(key)).toBe('200')
    expect(readFileSync(lab.path('/etc/gate/gate.env'), 'utf8')).toContain('GATE_AUTH__TOKEN')
  })

  const statusWith = (token: string) =>
    lab.run([
      'curl',
      '-sS',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      '--oauth2-bearer',
      token,
      'http://127.0.0.1:3000/v1/models',
    ])

  test('a unit that was switched off stays off over an upgrade', async () => {
    await lab.run(['systemctl', 'disable', 'gate-daemon.service'])
    await dpkg('--install', inside(debs.second))
    expect((await lab.exec(['systemctl', 'is-enabled', 'gate-daemon.service'])).stdout).toBe('disabled\n')
    await lab.run(['systemctl', 'enable', 'gate-daemon.service'])
  })

  test('removing stops it and leaves the state, which a new installation finds', async () => {
    await dpkg('--remove', 'gate')
    expect((await lab.exec(['curl', '-sS', 'http://127.0.0.1:3000/health'])).code).toBe(7)
    expect((await lab.exec(['systemctl', 'is-active', 'gate-daemon.service'])).stdout).toBe('inactive\n')
    expect((await lab.exec(['ls', '/usr/lib/gate', '/usr/bin/gatectl'])).stdout).toBe('')
    expect(await state()).toEqual(expect.arrayContaining(['/var/lib/gate/config.toml', '/var/lib/gate/gate.db']))
    await dpkg('--install', inside(debs.second))
    expect(await statusWith(key)).toBe('200')
  })

  test('purging leaves nothing but models, accounts and what others wrote', async () => {
    writeFileSync(lab.path('/var/lib/gate/models/own.gguf'), 'a model')
    await dpkg('--purge', 'gate')
    expect(await state()).toEqual(['/var/lib/gate', '/var/lib/gate/models', '/var/lib/gate/models/own.gguf'])
    await lab.run(['rm', '-r', '/var/lib/gate', '/etc/gate/declared.json'])
    await lab.exec(['rmdir', '/etc/gate'])
    const after = await tree()
    const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
      (path) => before.get(path) !== after.get(path),
    )
    expect(changed.filter((path) => !ACCOUNTS.includes(path))).toEqual([])
    expect(await lab.run(['getent', 'passwd', 'gate'])).toContain('/usr/sbin/nologin')
  })

  test('E1 port 3000 is taken at installation: who has it is told, gatectl is answered, and either remedy works', async () => {
    const holder =
      'my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:3000", Listen => 5, ReuseAddr => 1) or die; 1 while $s->accept'
    await lab.run(['systemd-run', '--unit=holder', 'perl', '-MIO::Socket::INET', '-e', holder])
    await vi.waitUntil(async () => (await lab.exec(['curl', '-s', 'http://127.0.0.1:3000/'])).code !== 7, {
      timeout: 20_000,
    })
    const { code, stdout, stderr } = await lab.exec(['dpkg', '--install', inside(debs.second)], { timeoutMs: 120_000 })
    expect(code).toBe(0)
    expect(stdout + stderr).not.toContain('Could not execute systemctl')
    expect(stderr).toMatch(
      /serves no clients yet:\n.*tcp port 3000 is taken on 127.0.0.1\n.*perl \(process \d+, user root, holder.service\)/,
    )
    const another = /or Gate gets another port: (.*)/.exec(stderr)?.[1] ?? ''
    for (let i = 0; i < 12; i++) {
      const status = await lab.exec(['gatectl', 'status'])
      expect(status).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/listening {3}nowhere: 127.0.0.1 port 3000 is taken/),
      })
    }
    expect(await lab.run(['systemctl', 'show', '--value', '--property=StatusText', 'gate-daemon.service'])).toContain(
      'not serving clients: 127.0.0.1 port 3000 is taken',
    )
    const doctor = await lab.exec(['gatectl', 'doctor'], { timeoutMs: 60_000 })
    expect(doctor.stdout).toMatch(/the daemon serves no clients/)
    // the documented remedy, too early, and more often than systemd counts
    for (let i = 0; i < 7; i++) await lab.exec(['systemctl', 'restart', 'gate-daemon.socket'])
    await lab.run(['sh', '-c', another])
    expect(await lab.run(['curl', '-sS', 'http://127.0.0.1:3001/health'])).toContain('ok')
    await lab.run(['rm', '-r', '/etc/systemd/system/gate-daemon.socket.d'])
    await lab.run(['systemctl', 'daemon-reload'])
    await lab.exec(['systemctl', 'restart', 'gate-daemon.socket'])
    const fix = /fix: (systemctl disable --now holder.service && .*)/.exec(stderr)?.[1] ?? ''
    await lab.run(['sh', '-c', fix])
    expect(await lab.run(['curl', '-sS', 'http://127.0.0.1:3000/health'])).toContain('ok')
    await dpkg('--purge', 'gate')
  })
})
