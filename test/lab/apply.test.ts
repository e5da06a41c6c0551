import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { isLong } from '../support/effort.ts'
import { bootHost, type Host } from './deploy.ts'
import { ENGINE_HEALTH, engineBackend } from './engine/image.ts'
import { NODE } from './gate.ts'
import { snapshot } from './snapshot.ts'
import { describeInLab } from './suite.ts'

const SPEC = '/etc/gate/gate.toml'
const LONG_MS = 180_000

describeInLab('gatectl plan, apply, rollback and uninstall on Debian 13', () => {
  let host: Host
  let before = ''
  beforeAll(async () => {
    host = await bootHost('apply')
    for (const file of ['killed-apply.ts']) cpSync(join(import.meta.dirname, file), host.path(`/opt/${file}`))
    before = await snapshot(host)
  })
  afterAll(() => host?.down())

  const gatectl = (...args: string[]) => host.exec(['gatectl', ...args], { timeoutMs: LONG_MS })
  const userctl = (name: string, ...args: string[]) => host.asUser(`gate-${name}`).run(['systemctl', '--user', ...args])
  const startedAt = (name: string) =>
    userctl(name, 'show', '--value', '--property=ExecMainStartTimestampMonotonic', `gate-${name}.service`)
  const ask = (name: string, path = '/v1/models') =>
    host.run([
      'curl',
      '-sS',
      '--max-time',
      '60',
      '--unix-socket',
      `/run/gate/backends/${name}/engine.sock`,
      `http://x${path}`,
    ])

  const backend = (more: object = {}) => ({
    ...engineBackend(host.images),
    args: ['--listen', '{socket}', '--token-delay-ms', '50'],
    stop_timeout: '2s',
    ...more,
  })
  /** A host with nothing but 2 MB of waiting, which is quick to deploy. */
  const idle = (more: object = {}) => ({
    engine: 'custom',
    image: host.images.idle.reference,
    image_archive: host.images.idle.archive,
    listen: 'unix',
    notify: 'started',
    stop_timeout: '1s',
    ...more,
  })
  const write = (spec: object) => writeFileSync(host.path(SPEC), JSON.stringify(spec))

  test('refuses what it cannot do, and changes nothing', async () => {
    write({ backends: { one: backend() } })
    expect(await host.exec(['gatectl', 'apply'], { user: 'nobody' })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('NOT_ROOT'),
    })
    await host.run(['mv', '/usr/bin/podman', '/usr/bin/podman.away'])
    expect(await gatectl('apply')).toMatchObject({ code: 1, stderr: expect.stringContaining('NO_PODMAN') })
    await host.run(['mv', '/usr/bin/podman.away', '/usr/bin/podman'])
    write({ backends: { one: backend({ image_archive: '/srv/images/none.tar' }) } })
    expect(await gatectl('apply')).toMatchObject({ code: 1, stderr: expect.stringContaining('/srv/images/none.tar') })
    write({ upstreams: { openai: { provider: 'openai', api_key: { credential: 'openai' } } } })
    const secret = await gatectl('apply')
    expect(secret).toMatchObject({ code: 1, stderr: expect.stringContaining('/etc/credstore/openai') })
    expect(await snapshot(host)).toBe(before)
  })

  test('killed before any of its steps and done again, it comes to the same end', { timeout: 300_000 }, async () => {
    write({ backends: { one: idle() } })
    const kills: string[] = []
    let [limit, isStuck, isSwitched] = [2, false, false]
    for (;;) {
      const run = await host.exec([NODE, '/opt/killed-apply.ts', SPEC, String(limit)], { timeoutMs: LONG_MS })
      const place = /^killed before (.*)$/m.exec(run.stdout)?.[1]?.replace(/generations.\d+/, 'generation')
      if (place === undefined) {
        expect(run.code, `${run.stdout}${run.stderr}`).toBe(0)
        break
      }
      // one step at a time, until a step begins that is done from its beginning again: then some more each time
      isStuck ||= place === kills.at(-1)
      if (isStuck && !isSwitched && place.startsWith('run ')) [limit, isStuck, isSwitched] = [2, false, true]
      else if (isStuck) limit += place.includes('.new') ? 5 : isLong ? 1 : 7
      kills.push(place)
      expect(kills.length).toBeLessThan(100)
    }
    expect(new Set(kills).size).toBeGreaterThan(isLong ? 25 : 6)
    expect(await gatectl('plan')).toMatchObject({ code: 0 })
    expect(await userctl('one', 'is-active', 'gate-one.service')).toBe('active\n')
    const generations = JSON.parse((await gatectl('generations', '--json')).stdout) as { state: string }[]
    expect(generations.filter(({ state }) => state === 'runs')).toHaveLength(1)
  })

  test('two at once: the second one is told who works, or waits', async () => {
    const holder = host.start([
      'flock',
      '/run/gate-deploy.lock',
      'sh',
      '-c',
      'echo somebody >/run/gate-deploy.lock; cat',
    ])
    await vi.waitUntil(async () => (await host.exec(['cat', '/run/gate-deploy.lock'])).stdout === 'somebody\n')
    const refused = await gatectl('apply')
    // the kernel knows; what the file says of another process counts for nothing
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/BUSY.*: flock, process \d+ of user 0/) })
    const waiting = gatectl('apply', '--wait', '60')
    holder.stdin?.end()
    expect(await waiting).toMatchObject({ code: 0 })
  })

  test('applied, both backends answer; applied again, nothing changes', async () => {
    write({ backends: { one: backend(), two: backend({ idle_stop: '1m' }) } })
    const plan = await gatectl('plan', '--json')
    expect(plan.code).toBe(3)
    const applied = await gatectl('apply')
    expect(applied).toMatchObject({ code: 0 })
    expect(await ask('one')).toContain('test-model')
    expect((await host.asUser('gate-two').exec(['systemctl', '--user', 'is-active', 'gate-two.service'])).stdout).toBe(
      'inactive\n',
    )
    expect(await ask('two')).toContain('test-model')
    // no other user of the host gets their units
    const generate = (user: string) =>
      host.asUser(user).run(['/usr/lib/systemd/user-generators/podman-user-generator', '-dryrun'])
    expect(await generate('gate-two')).toContain('gate-two.service')
    expect(await generate('gate-two')).not.toContain('gate-one.service')
    const again = await gatectl('apply')
    expect(again).toMatchObject({ code: 0, stdout: 'nothing to do: this host matches the spec\n' })
    expect(await gatectl('plan')).toMatchObject({ code: 0 })
    const status = await gatectl('status', '--json')
    expect(JSON.parse(status.stdout)).toMatchObject({ state: 'ready', deployment: { backends: 2, unfinished: false } })
  })

  test('one changed backend restarts alone, while a stream of the other goes on', async () => {
    const body = JSON.stringify({ stream: true, max_tokens: 200, messages: [{ role: 'user', content: 'x' }] })
    const socket = '/run/gate/backends/one/engine.sock'
    const stream = host.start([
      'curl',
      '-sS',
      '-N',
      '--unix-socket',
      socket,
      '--json',
      body,
      'http://x/v1/chat/completions',
    ])
    let text = ''
    stream.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    const ended = new Promise((resolve) => stream.on('close', resolve))
    await vi.waitUntil(() => text.includes('"content"'), { timeout: 20_000 })
    const [one, two] = [await startedAt('one'), await startedAt('two')]
    write({ backends: { one: backend(), two: backend({ idle_stop: '1m', environment: { CHANGED: 'yes' } }) } })
    const applied = await gatectl('apply')
    expect(applied).toMatchObject({ code: 0, stderr: expect.stringContaining('restart gate-two.service') })
    expect(applied.stderr).not.toContain('gate-one')
    expect(await startedAt('one')).toBe(one)
    expect(await startedAt('two')).not.toBe(two)
    expect(await ended).toBe(0)
    expect(text.split('"content"').length - 1).toBeGreaterThanOrEqual(200)
    expect(text).toContain('data: [DONE]')
  })

  test('a backend that never becomes healthy is taken back within its time, and the old one serves', async () => {
    const dead = backend({
      args: ['--listen', '{socket}', '--start-delay-ms', '6000000'],
      health: { command: ENGINE_HEALTH, start_interval: '500ms', start_period: '1s' },
      start_timeout: '6s',
    })
    write({ backends: { one: dead, two: backend({ idle_stop: '1m', environment: { CHANGED: 'yes' } }) } })
    const current = await host.run(['readlink', '/var/lib/gate-deploy/current'])
    const failed = await gatectl('apply')
    expect(failed).toMatchObject({ code: 1 })
    expect(failed.stderr).toMatch(/UNIT_FAILED: gate-one\.service of gate-one/)
    expect(failed.stderr).toContain('engine: starting')
    expect(failed.stderr).toMatch(/generation \d+ runs again/)
    expect(await host.run(['readlink', '/var/lib/gate-deploy/current'])).toBe(current)
    expect(await ask('one')).toContain('test-model')
  })

  test('rollback makes an older generation run again', async () => {
    expect(await gatectl('rollback')).toMatchObject({ code: 0 })
    expect(await userctl('two', 'show', '--property=Environment', 'gate-two.service')).not.toContain('CHANGED')
    expect(await ask('two')).toContain('test-model')
    expect(await gatectl('rollback', '999')).toMatchObject({ code: 1, stderr: expect.stringContaining('there are: ') })
  })

  test('an image that does not exist changes nothing', async () => {
    const image = `localhost/gate-test-engine@sha256:${'1'.repeat(64)}`
    write({ backends: { one: backend({ image }) } })
    const failed = await gatectl('apply')
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining('MISSING_IMAGE') })
    expect(failed.stderr).toContain('nothing was switched')
    expect(await ask('one')).toContain('test-model')
  })

  test('uninstall leaves the host as it was, and keeps and names what somebody changed', async () => {
    const place = '/etc/tmpfiles.d/gate.conf'
    await host.run(['sh', '-c', `echo '# mine' >>${place}`])
    const removed = await gatectl('uninstall', '--yes')
    expect(removed).toMatchObject({ code: 0, stdout: expect.stringContaining(`kept ${place}`) })
    expect(removed.stdout).toContain('kept /var/lib/gate/gate.db')
    const lock = '/etc/gate/gate.lock.json'
    const purged = await gatectl('uninstall', '--yes', '--purge')
    expect(purged).toMatchObject({ code: 0, stdout: expect.stringContaining(`kept ${lock}`) })
    await host.run(['rm', place, lock])
    expect((await snapshot(host)).split('\n')).toEqual(before.split('\n'))
    expect(await gatectl('uninstall', '--yes')).toMatchObject({ code: 0, stdout: 'nothing is deployed here\n' })
  })

  test('a full disk is said, and nothing is switched', async () => {
    write({ backends: { one: idle() } })
    await host.run(['mkdir', '/var/lib/gate-deploy'])
    await host.run(['mount', '-t', 'tmpfs', '-o', 'size=20k', 'small', '/var/lib/gate-deploy'])
    const full = await gatectl('apply')
    expect(full).toMatchObject({ code: 1, stderr: expect.stringContaining('DISK_FULL') })
    expect(full.stderr).toContain('nothing was switched')
    expect((await host.exec(['ls', '/etc/systemd/system/gate-daemon.service'])).code).not.toBe(0)
    await host.run(['umount', '/var/lib/gate-deploy'])
  })
})
