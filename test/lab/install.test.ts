import { mkdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { bootGate, GATEWAY, type GateLab } from './gate.ts'
import { describeInLab } from './suite.ts'

/** systemd-analyze security: 0 is best, 10 is no protection at all. */
const HIGHEST_EXPOSURE = 1.5
const UNITS = ['gate-daemon.service', 'gate-daemon.socket', 'gate-daemon-admin.socket']

describeInLab('Gate on Debian 13', () => {
  let gate: GateLab
  beforeAll(async () => {
    gate = await bootGate('install')
  })
  afterAll(() => gate?.down())

  test('systemd finds nothing wrong with the units', async () => {
    const { code, stdout, stderr } = await gate.exec(['systemd-analyze', 'verify', '--man=no', ...UNITS])
    expect(stdout + stderr).toBe('')
    expect(code).toBe(0)
  })

  test('the first request starts the daemon and is answered, before the network is online', async () => {
    await gate.run(['systemctl', 'start', 'gate-daemon.socket', 'gate-daemon-admin.socket'])
    expect(await gate.property('ActiveState')).toBe('inactive')
    expect((await gate.fetch('/v1/models')).status).toBe(200)
    expect(await gate.property('ActiveState')).toBe('active')
    expect(await gate.property('StatusText')).toBe('serving')
    expect((await gate.exec(['systemctl', 'is-active', 'network-online.target'])).stdout).toBe('inactive\n')
  })

  test('the running unit is exposed no more than allowed', async () => {
    const text = await gate.run(['systemd-analyze', 'security', '--no-pager', 'gate-daemon.service'])
    const exposure = /Overall exposure level for gate-daemon.service: ([\d.]+)/.exec(text)?.[1]
    expect(Number(exposure)).toBeLessThanOrEqual(HIGHEST_EXPOSURE)
  })

  test('the daemon runs as gate, without capabilities, and has the state directory alone', async () => {
    const pid = await gate.property('MainPID')
    const status = await gate.run(['cat', `/proc/${pid}/status`])
    const uid = (await gate.run(['id', '-u', 'gate'])).trim()
    expect(status).toMatch(new RegExp(`^Uid:\t${uid}\t${uid}\t${uid}\t${uid}$`, 'm'))
    expect(status).toMatch(/^CapBnd:\t0+$/m)
    expect(status).toMatch(/^NoNewPrivs:\t1$/m)
    expect(status).toMatch(/^Seccomp:\t2$/m)
  })

  test('only gate can read the state, and its files are 0600', async () => {
    const files = await gate.run(['find', '/var/lib/gate', '-printf', '%y %m %u:%g %p\n'])
    const lines = files.trim().split('\n')
    expect(lines[0]).toBe('d 1771 root:gate /var/lib/gate')
    const others = lines.slice(1).filter((line) => !/^(f 600|d 700) gate:gate /.test(line))
    expect(others).toEqual(['d 750 root:gate-models /var/lib/gate/models'])
    expect(lines.join('\n')).toContain('/var/lib/gate/gate.db')
    const read = await gate.exec(['cat', '/var/lib/gate/gate.db'], { user: 'nobody' })
    expect(read).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('Permission denied') })
  })

  test('the admin socket answers members of gate-admin and refuses everybody else', async () => {
    await gate.run(['useradd', '--groups', 'gate-admin', 'alice'])
    await gate.run(['useradd', 'bob'])
    const status = (user: string) => gate.exec(['gatectl', 'status'], { user })
    expect(await status('alice')).toMatchObject({ code: 0, stdout: expect.stringContaining('ready') })
    expect((await status('bob')).code).not.toBe(0)
    expect((await status('nobody')).code).not.toBe(0)
    const socket = await gate.run(['stat', '--format=%A %U:%G', '/run/gate/admin.sock'])
    expect(socket).toBe('srw-rw---- gate:gate-admin\n')
  })

  test('a key made by an administrator opens the gateway', async () => {
    const key = (await gate.run(['gatectl', 'token', 'create', '--name', 'alice'], { user: 'alice' })).trim()
    const curl = (token: string) =>
      gate.run([
        'curl',
        '-sS',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        '--oauth2-bearer',
        token,
        `${GATEWAY}/v1/models`,
      ])
    expect(await curl(key)).toBe('200')
    expect(await curl(`${key}x`)).toBe('401')
  })

  test('a systemd credential is a value of the configuration, and nobody but root and gate can read it', async () => {
    mkdirSync(gate.path('/etc/gate/credentials'), { mode: 0o700 })
    writeFileSync(gate.path('/etc/gate/credentials/openai'), 'sk-lab-canary', { mode: 0o400 })
    const credential = 'upstreams.openai.api_key:/etc/gate/credentials/openai'
    const dropIn = `[Service]\nLoadCredential=${credential}\n`
    await gate.run(['systemctl', 'edit', '--stdin', 'gate-daemon.service'], { input: dropIn })
    await gate.run(['systemctl', 'restart', 'gate-daemon.service'])
    const explained = await gate.run(['gatectl', 'config', 'explain', '--json', 'upstreams.openai.api_key'])
    expect(JSON.parse(explained)).toMatchObject({ winner: 'env', value: { secret: true } })
    const shown = await gate.run(['systemctl', 'show', 'gate-daemon.service'])
    expect(shown).toContain('LoadState=loaded')
    expect(explained + shown).not.toContain('sk-lab-canary')
    const file = '/run/credentials/gate-daemon.service/upstreams.openai.api_key'
    expect((await gate.exec(['cat', file], { user: 'alice' })).code).not.toBe(0)
  })

  test('another address is a matter of the socket unit', async () => {
    const dropIn = '[Socket]\nListenStream=\nListenStream=127.0.0.1:3001\n'
    await gate.run(['systemctl', 'edit', '--stdin', 'gate-daemon.socket'], { input: dropIn })
    await gate.run(['systemctl', 'restart', 'gate-daemon.socket'])
    await vi.waitUntil(async () => (await gate.property('ActiveState')) === 'active', { timeout: 30_000 })
    expect(await gate.run(['curl', '-sS', 'http://127.0.0.1:3001/health'])).toContain('ok')
    expect((await gate.exec(['curl', '-sS', `${GATEWAY}/health`])).code).toBe(7)
    // C1: an edit of the configuration would do nothing, and the answer is what was just done
    const edit = await gate.exec(['gatectl', 'config', 'set', 'server.port', '3002'])
    expect(edit).toMatchObject({ code: 1, stdout: '' })
    expect(edit.stderr).toContain(String.raw`printf '[Socket]\nListenStream=\nListenStream=127.0.0.1:3002\n'`)
    const explained = await gate.run(['gatectl', 'config', 'explain', '--json', 'server.port'])
    expect(JSON.parse(explained)).toMatchObject({ winner: 'socket', value: 3001 })
    await gate.run(['systemctl', 'revert', 'gate-daemon.socket'])
    await gate.run(['systemctl', 'restart', 'gate-daemon.socket'])
    expect(await gate.run(['curl', '-sS', `${GATEWAY}/health`])).toContain('ok')
  })

  test('the admin socket and the gateway outlive a stop of the daemon', async () => {
    await gate.run(['systemctl', 'stop', 'gate-daemon.service'])
    expect(await gate.property('Result')).toBe('success')
    expect(await gate.exec(['gatectl', 'status'], { user: 'alice' })).toMatchObject({ code: 0 })
    expect(await gate.property('ActiveState')).toBe('active')
  })
})
